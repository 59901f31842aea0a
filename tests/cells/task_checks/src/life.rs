//! Making tasks, and their properties.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use core::time::Duration;

use self_check::{Outcome, eventually, expect, holds};
use task::{Builder, CpuSet, Joinable};

use crate::patience;

pub(crate) fn join_gives_the_result() -> Outcome {
    let child = task::spawn("answers", || 42)?;
    expect("the result", child.join()?, 42)?;
    let child = task::spawn("is let go", || ())?.detach();
    task::wait_for_end(&child)?;
    Ok(())
}

pub(crate) fn sleep_lasts() -> Outcome {
    let began = clock::now();
    task::sleep(Duration::from_millis(20));
    let slept = began.elapsed();
    holds("20 ms of sleep last 20 ms", slept >= Duration::from_millis(20))?;
    holds("20 ms of sleep last less than 5 s", slept < Duration::from_secs(5))
}

/// Two tasks that never give way, on one CPU with this one.
pub(crate) fn tasks_are_preempted() -> Outcome {
    let here = task::current().map_or(CpuSet::EMPTY, |current| CpuSet::EMPTY.with(current.cpu()));
    let stop = Arc::new(AtomicBool::new(false));
    let counts: [Arc<AtomicU64>; 2] = Default::default();
    let spin = |count: &Arc<AtomicU64>| {
        let (stop, count) = (Arc::clone(&stop), Arc::clone(count));
        Builder::new().name("spins").affinity(here).spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let (first, second) = (spin(&counts[0])?, spin(&counts[1])?);
    let both = || counts.iter().all(|count| count.load(Ordering::Relaxed) > 0);
    let outcome = eventually("both of two busy tasks run on one CPU", both);
    stop.store(true, Ordering::Relaxed);
    first.join()?;
    second.join()?;
    outcome
}

pub(crate) fn affinity_is_kept() -> Outcome {
    for cpu in task::scheduling_cpus().iter() {
        let child = Builder::new().name("stays").affinity(CpuSet::EMPTY.with(cpu)).spawn(move || {
            (0..20).all(|_| {
                task::yield_now();
                task::current().is_some_and(|current| current.cpu() == cpu)
            })
        })?;
        holds("a task stays on the only CPU that it may use", child.join()?)?;
    }
    Ok(())
}

pub(crate) fn all_cpus_work() -> Outcome {
    let all = task::scheduling_cpus();
    let (seen, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let mut children = Vec::new();
    for _ in 0..2 * all.len() {
        let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
        children.push(task::spawn("spins", move || {
            while !stop.load(Ordering::Relaxed) {
                let here = task::current().map_or(0, |current| CpuSet::EMPTY.with(current.cpu()).bits());
                seen.fetch_or(here, Ordering::Relaxed);
            }
        })?);
    }
    let outcome = eventually("twice as many tasks as CPUs use all CPUs", || seen.load(Ordering::Relaxed) == all.bits());
    stop.store(true, Ordering::Relaxed);
    children.into_iter().try_for_each(Joinable::join)?;
    outcome
}

/// Counts how many were dropped.
struct Counted(Cell<u64>);

static DROPPED: AtomicU64 = AtomicU64::new(0);

impl Drop for Counted {
    fn drop(&mut self) {
        DROPPED.fetch_add(self.0.get(), Ordering::Relaxed);
    }
}

thread_locals::thread_local! {
    static COUNTER: Counted = Counted(Cell::new(100));
}

pub(crate) fn thread_locals_are_separate() -> Outcome {
    let before = DROPPED.load(Ordering::Relaxed);
    let count = |times: u64| {
        move || {
            for _ in 0..times {
                COUNTER.with(|counter| counter.0.set(counter.0.get() + 1));
                task::yield_now();
            }
            COUNTER.with(|counter| counter.0.get())
        }
    };
    let (one, other) = (task::spawn("counts", count(5))?, task::spawn("counts", count(7))?);
    expect("a task's own count", one.join()?, 105)?;
    expect("another task's own count", other.join()?, 107)?;
    expect("what the destructors saw", DROPPED.load(Ordering::Relaxed) - before, 212)
}

pub(crate) fn many_tasks_leave_nothing() -> Outcome {
    let before = task::count();
    let sum = Arc::new(AtomicU64::new(0));
    for round in 0..4 {
        let mut children = Vec::new();
        for number in 0..50 {
            let sum = Arc::clone(&sum);
            let child = task::spawn("adds", move || {
                if round % 2 == 0 {
                    task::yield_now();
                }
                sum.fetch_add(number, Ordering::Relaxed);
            })?;
            if number % 2 == 0 {
                children.push(child);
            } else {
                child.detach();
            }
        }
        children.into_iter().try_for_each(Joinable::join)?;
    }
    eventually("detached tasks end", || sum.load(Ordering::Relaxed) == 4 * (49 * 50 / 2))?;
    eventually("200 tasks are gone", || task::count() <= before)?;
    holds("in time", clock::now() < patience())
}
