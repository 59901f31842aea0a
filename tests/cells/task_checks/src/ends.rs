//! How tasks end that do not return.

use alloc::sync::Arc;
use core::cell::RefCell;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use self_check::{CheckError, Outcome, eventually, expect, holds};
use task::{Builder, CpuSet, Ended, Joinable};
use wait_queue::WaitQueue;

/// Counts itself while it lives.
struct Alive(Arc<AtomicU32>);

impl Alive {
    fn new(count: &Arc<AtomicU32>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn ended<T>(child: Joinable<T>) -> Result<Ended, CheckError> {
    match child.join() {
        Ok(_) => Err(CheckError::Not("the task ended unnaturally")),
        Err(ended) => Ok(ended),
    }
}

/// Kills a task once it has made an [`Alive`], and sees that it dropped that. The grace period is longer than any stall of
/// the host: it is ended at a cancellation point or not at all.
fn killed_cleanly(body: impl FnOnce() + Send + 'static) -> Outcome {
    let alive = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&alive);
    let child = task::spawn("is killed", move || {
        let _alive = Alive::new(&count);
        body();
    })?;
    let outcome = eventually("the task has begun", || alive.load(Ordering::Relaxed) == 1);
    holds("the task can be killed", child.kill_capability().kill_within(Duration::from_secs(1000)))?;
    let how = ended(child)?;
    outcome?;
    holds("it was killed", how == Ended::Killed)?;
    expect("values of its frames that are left", alive.load(Ordering::Relaxed).into(), 0)
}

pub(crate) fn panic_is_reported() -> Outcome {
    let alive = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&alive);
    let child = task::spawn("panics", move || {
        let _alive = Alive::new(&count);
        panic!("as the check wants it");
    })?;
    holds("it panicked", matches!(ended::<()>(child)?, Ended::Panicked(_)))?;
    expect("values of its frames that are left", alive.load(Ordering::Relaxed).into(), 0)
}

pub(crate) fn exit_has_no_result() -> Outcome {
    let alive = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&alive);
    let child = task::spawn("exits", move || {
        let _alive = Alive::new(&count);
        task::exit();
    })?;
    holds("it exited", ended::<()>(child)? == Ended::Exited)?;
    expect("values of its frames that are left", alive.load(Ordering::Relaxed).into(), 0)
}

pub(crate) fn kill_of_blocked() -> Outcome {
    let (sender, receiver) = rendezvous::channel::<u32>();
    killed_cleanly(move || {
        let _ = receiver.receive();
    })?;
    holds("its endpoint is gone", sender.send(1).is_err())
}

pub(crate) fn kill_of_sleeping() -> Outcome {
    // Many, for others keep deadlines and give them up at any time, too: the reaper one for the kills, the supervisor
    // one for the restarts.
    const KILLED: usize = 8;
    const OTHERS: usize = 3;
    let sleepers = scheduler::sleepers();
    for _ in 0..KILLED {
        let began = clock::now();
        killed_cleanly(|| task::sleep(Duration::from_secs(1000)))?;
        holds("it did not sleep on", began.elapsed() < Duration::from_secs(100))?;
    }
    eventually("their deadlines are gone", || scheduler::sleepers() <= sleepers + OTHERS)
}

pub(crate) fn kill_of_ready() -> Outcome {
    killed_cleanly(|| {
        loop {
            task::yield_now();
        }
    })
}

/// The task never runs: this one keeps the CPU until the kill.
pub(crate) fn kill_of_new() -> Outcome {
    let alive = Arc::new(AtomicU32::new(0));
    let owned = Alive::new(&alive);
    let here = task::current().map_or(CpuSet::EMPTY, |current| CpuSet::EMPTY.with(current.cpu()));
    let child = Builder::new().name("is killed").affinity(here).spawn(move || {
        task::cancellation_point();
        drop(owned);
        task::sleep(Duration::from_secs(1000));
    })?;
    child.kill_capability().kill();
    holds("it was killed", ended(child)? == Ended::Killed)?;
    expect("values that it owned and that are left", alive.load(Ordering::Relaxed).into(), 0)
}

/// No cancellation point: ended where it stands. The memory of its innermost frame is leaked, by design.
pub(crate) fn kill_of_computing() -> Outcome {
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let child = task::spawn("computes", move || {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    })?;
    let outcome = eventually("the task computes", || count.load(Ordering::Relaxed) != 0);
    child.kill_capability().kill_within(Duration::from_millis(20));
    holds("it was killed", ended::<()>(child)? == Ended::Killed)?;
    outcome
}

pub(crate) fn kill_by_number() -> Outcome {
    let child = task::spawn("is killed", || task::sleep(Duration::from_secs(1000)))?;
    let Ok(capability) = task_control::kill_capability(child.id()) else {
        child.detach();
        return Err(CheckError::Not("a task that exists can be killed by number"));
    };
    let id = child.id();
    capability.kill();
    holds("it was killed", ended(child)? == Ended::Killed)?;
    holds("it cannot be killed twice", !capability.kill())?;
    holds("it is no longer listed", task::find(id).is_none())
}

/// Waits when it is dropped, and counts how often it had to look.
struct WaitsAtEnd(Arc<AtomicU32>);

impl WaitsAtEnd {
    const WAIT: Duration = Duration::from_millis(10);
}

impl Drop for WaitsAtEnd {
    fn drop(&mut self) {
        let nobody_wakes = WaitQueue::new();
        let deadline = clock::now() + Self::WAIT;
        wait_queue::wait_for_until(&nobody_wakes, deadline, || {
            self.0.fetch_add(1, Ordering::Relaxed);
            None::<()>
        });
        self.0.fetch_add(ENDED, Ordering::Relaxed);
    }
}

/// Added by a destructor that has come to its end.
const ENDED: u32 = 1 << 16;
/// Looks of a task that waits: before and after. It may be woken for other reasons, but not all the time.
const MAX_LOOKS: u32 = 8;

fn waited(looks: &AtomicU32) -> Outcome {
    let looks = looks.load(Ordering::Relaxed);
    expect("destructors that came to their end", (looks / ENDED).into(), 1)?;
    holds("the destructor waited instead of looking again and again", looks % ENDED <= MAX_LOOKS)
}

/// The kill that ends a task must not keep its destructors from waiting.
pub(crate) fn destructors_of_killed_wait() -> Outcome {
    let looks = Arc::new(AtomicU32::new(0));
    let waits = WaitsAtEnd(Arc::clone(&looks));
    killed_cleanly(move || {
        let _waits = waits;
        task::sleep(Duration::from_secs(1000));
    })?;
    waited(&looks)
}

thread_locals::thread_local! {
    static AT_END: RefCell<Option<WaitsAtEnd>> = RefCell::new(None);
}

pub(crate) fn thread_locals_of_killed_wait() -> Outcome {
    let looks = Arc::new(AtomicU32::new(0));
    let waits = WaitsAtEnd(Arc::clone(&looks));
    killed_cleanly(move || {
        AT_END.with(|place| *place.borrow_mut() = Some(waits));
        task::sleep(Duration::from_secs(1000));
    })?;
    waited(&looks)
}
