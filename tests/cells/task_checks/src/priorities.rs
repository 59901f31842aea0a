//! The effects of priorities. Everything happens on one CPU, and is watched by a task that is more urgent than all of it.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;

use mutex::Mutex;
use self_check::{CheckError, Outcome, eventually, expect, holds};
use task::{Builder, CpuSet, Joinable, Priority};

use crate::patience;

/// Each more urgent than the one before. A task of an application has [`Priority::NORMAL`] at most.
const LOW: Priority = below_normal(3);
const MEDIUM: Priority = below_normal(2);
const HIGH: Priority = below_normal(1);

/// Many turns of tasks that take turns.
const MANY_TURNS: Duration = Duration::from_millis(100);
/// For the holder of a lock to go on with it.
const SHORT: Duration = Duration::from_millis(10);

/// The policy that goes by priorities alone.
const FIXED: &str = "fixed priority";

const fn below_normal(levels: u8) -> Priority {
    match Priority::new(Priority::NORMAL.level() - levels) {
        Some(priority) => priority,
        None => Priority::LOWEST,
    }
}

/// On the one CPU.
fn here() -> Builder<'static> {
    let cpu = task::scheduling_cpus().iter().last();
    Builder::new().affinity(cpu.map_or(CpuSet::EMPTY, |cpu| CpuSet::EMPTY.with(cpu)))
}

/// Finds out in a task that none of those displaces.
fn watched(body: fn() -> Outcome) -> Outcome {
    Builder::new().name("watches").priority(Priority::NORMAL).spawn(body)?.join()?
}

fn compute_for(time: Duration) {
    let end = clock::now() + time;
    while clock::now() < end {}
}

/// A task that computes and never gives way, until it is dropped.
struct Computing {
    task: Option<Joinable<()>>,
    rounds: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Computing {
    /// Starts it, and waits until it has begun.
    fn start(priority: Priority) -> Result<Self, CheckError> {
        let (rounds, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, end) = (Arc::clone(&rounds), Arc::clone(&stop));
        let task = here().name("computes").priority(priority).spawn(move || {
            while !end.load(Ordering::Relaxed) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        })?;
        let computing = Self { task: Some(task), rounds, stop };
        computing.goes_on()?;
        Ok(computing)
    }

    fn goes_on(&self) -> Outcome {
        let before = self.rounds.load(Ordering::Relaxed);
        eventually("the task computes", || self.rounds.load(Ordering::Relaxed) > before)
    }
}

impl Drop for Computing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(task) = self.task.take() {
            // It cannot fail.
            let _ = task.join();
        }
    }
}

pub(crate) fn urgent_displaces() -> Outcome {
    if task::policy_name() != FIXED {
        return Err(CheckError::DoesNotApply("by this policy all tasks take turns"));
    }
    watched(|| {
        let other = Computing::start(LOW)?;
        let rounds = Arc::clone(&other.rounds);
        let urgent = here().name("is urgent").priority(HIGH).spawn(move || {
            let before = rounds.load(Ordering::Relaxed);
            compute_for(MANY_TURNS);
            rounds.load(Ordering::Relaxed) - before
        })?;
        expect("rounds of a less urgent task meanwhile", urgent.join()?, 0)?;
        other.goes_on()
    })
}

/// The lock that an urgent task waits for, and its state.
#[derive(Default)]
struct Wanted {
    lock: Mutex<()>,
    is_held: AtomicBool,
    is_wanted: AtomicBool,
}

/// A task in between would keep the holder from ever letting the lock go, if it did not inherit the waiter's priority or get its
/// turn without.
pub(crate) fn inversion_is_resolved() -> Outcome {
    watched(|| {
        let wanted = Arc::new(Wanted::default());
        let held = Arc::clone(&wanted);
        let holder = here().name("holds").priority(LOW).spawn(move || {
            let guard = held.lock.lock();
            held.is_held.store(true, Ordering::Release);
            let patience = patience();
            while !held.is_wanted.load(Ordering::Acquire) && clock::now() < patience {
                core::hint::spin_loop();
            }
            compute_for(SHORT);
            guard.is_ok()
        })?;
        let outcome = urgent_has_it(&wanted);
        // The holder ends with every outcome.
        wanted.is_wanted.store(true, Ordering::Release);
        holds("the lock was free", holder.join()?)?;
        outcome
    })
}

fn urgent_has_it(wanted: &Arc<Wanted>) -> Outcome {
    eventually("the lock is held", || wanted.is_held.load(Ordering::Acquire))?;
    let between = Computing::start(MEDIUM)?;
    let wants = Arc::clone(wanted);
    let urgent = here().name("is urgent").priority(HIGH).spawn(move || {
        wants.is_wanted.store(true, Ordering::Release);
        wants.lock.lock().is_ok()
    })?;
    let outcome = eventually("the urgent task has the lock", || urgent.has_ended());
    // Only now does the task in between give way.
    let outcome = outcome.and_then(|()| between.goes_on());
    drop(between);
    holds("no lock is poisoned", urgent.join()?)?;
    outcome
}
