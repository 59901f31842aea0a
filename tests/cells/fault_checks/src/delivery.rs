//! Faults that come from outside, into tasks that do something else.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hint::{black_box, spin_loop};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;

use fault_context::FaultKind;
use fault_injection::{INJECTABLE, inject};
use fault_log::FaultRecord;
use self_check::{CheckError, Outcome, eventually, expect};
use spin_lock::SpinLock;
use subject::{OWNED, compute, compute_with, resize};
use task::{Joinable, TaskId};
use wait_queue::WaitQueue;

use crate::destructors::Counted;
use crate::ended_of;

pub(crate) struct Subject {
    pub(crate) task: Joinable<()>,
    drops: Arc<AtomicU64>,
}

pub(crate) fn computing_task(name: &str) -> Result<Subject, CheckError> {
    let (drops, going) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (inner, started) = (Arc::clone(&drops), Arc::clone(&going));
    let task = task::spawn(name, move || {
        let _counted = Counted(inner);
        compute(&going);
    })?;
    let subject = Subject { task, drops };
    match eventually("the task computes", || started.load(Ordering::Relaxed)) {
        Ok(()) => Ok(subject),
        Err(error) => {
            subject.task.kill_capability().kill();
            subject.task.detach();
            Err(error)
        }
    }
}

pub(crate) fn finish(subject: Subject, kind: FaultKind) -> Outcome {
    ended_of(subject.task.join(), kind)?;
    expect("destructors run", subject.drops.load(Ordering::SeqCst), 1)
}

pub(crate) fn computing() -> Outcome {
    for kind in INJECTABLE {
        let subject = computing_task("check: computes")?;
        inject(kind, subject.task.id())?;
        finish(subject, kind)?;
    }
    Ok(())
}

/// Waits until the task is ended, with something owned by the frame above: a tick may find the task in this one, on its way
/// from one attempt to the next, and the values that the faulting frame owns are lost.
#[inline(never)]
fn wait() {
    let nobody_wakes = WaitQueue::new();
    wait_queue::wait_for(&nobody_wakes, || None::<()>);
}

pub(crate) fn waiting() -> Outcome {
    for kind in INJECTABLE {
        let drops = Arc::new(AtomicU64::new(0));
        let inner = Arc::clone(&drops);
        let task = task::spawn("check: waits", move || {
            let _counted = Counted(inner);
            wait();
        })?;
        let observed = task.observe();
        eventually("the task waits", || observed.state() == task::State::Blocked)?;
        inject(kind, task.id())?;
        finish(Subject { task, drops }, kind)?;
    }
    Ok(())
}

pub(crate) fn kill_computing() -> Outcome {
    let subject = computing_task("check: killed")?;
    subject.task.kill_capability().kill_within(Duration::from_millis(20));
    finish(subject, FaultKind::Killed)
}

/// The record of the latest fault of a task.
pub(crate) fn record_of(task: TaskId) -> Option<FaultRecord> {
    fault_log::records().filter(|record| record.task == task.number()).last()
}

/// All of it is unwound, so it is no entry in the log.
pub(crate) fn kill_waiting() -> Outcome {
    let drops = Arc::new(AtomicU64::new(0));
    let inner = Arc::clone(&drops);
    let task = task::spawn("check: killed", move || {
        let _counted = Counted(inner);
        task::sleep(Duration::from_secs(1000));
    })?;
    let (id, observed) = (task.id(), task.observe());
    let outcome = eventually("the task waits", || observed.state() == task::State::Blocked);
    // With so much grace it is at a cancellation point or not at all.
    task.kill_capability().kill_within(Duration::from_secs(1000));
    outcome?;
    finish(Subject { task, drops }, FaultKind::Killed)?;
    expect("records of it", u64::from(record_of(id).is_some()), 0)
}

/// Kills a task that does `before` and then computes with something owned; its leak must be exactly that.
fn kill_computing_with_owned(before: impl FnOnce() + Send + 'static) -> Outcome {
    let going = Arc::new(AtomicBool::new(false));
    let started = Arc::clone(&going);
    let task = task::spawn("check: owns", move || {
        before();
        compute_with(Box::new([1; OWNED]), &going);
    })?;
    let id = task.id();
    let outcome = eventually("the task computes", || started.load(Ordering::Relaxed));
    task.kill_capability().kill_within(Duration::from_millis(20));
    ended_of(task.join(), FaultKind::Killed)?;
    outcome?;
    let record = record_of(id).ok_or(CheckError::Missing("the record"))?;
    expect("it is a kill", u64::from(record.kind == FaultKind::Killed), 1)?;
    expect("frames were lost", u64::from(record.lost_frames != 0), 1)?;
    expect("bytes leaked", record.leaked_bytes, OWNED as u64)?;
    expect("the place is named", u64::from(record.function.as_str().contains("compute_with")), 1)
}

/// A task that was lent something it can change is not known to leave it whole: it is leaked, and told.
pub(crate) fn kill_with_something_lent() -> Outcome {
    let (drops, going) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (inner, started) = (Arc::clone(&drops), Arc::clone(&going));
    let task = task::spawn("check: lent", move || {
        let _counted = Counted(inner);
        let block = Box::new([1_u8; OWNED]);
        resize(&mut [Vec::new(), Vec::new()], &going);
        black_box(block);
    })?;
    let id = task.id();
    let outcome = eventually("the task computes", || started.load(Ordering::Relaxed));
    task.kill_capability().kill_within(Duration::from_millis(20));
    ended_of(task.join(), FaultKind::Killed)?;
    outcome?;
    let record = record_of(id).ok_or(CheckError::Missing("the record"))?;
    expect("destructors run", drops.load(Ordering::SeqCst), 0)?;
    expect("what the task had is told", u64::from(record.leaked_bytes >= OWNED as u64), 1)
}

/// A vector that grows has given its old memory back before it knows the new one: the task that has lent it would give it back again.
pub(crate) fn resizing() -> Outcome {
    const ROUNDS: u64 = 8;
    let before = heap::statistics().refused;
    for round in 0..ROUNDS {
        let going = Arc::new(AtomicBool::new(false));
        let started = Arc::clone(&going);
        let task = task::spawn("check: resizes", move || {
            let mut vectors = [const { Vec::new() }; 8];
            resize(&mut vectors, &going);
        })?;
        let outcome = eventually("the task has begun", || started.load(Ordering::Relaxed));
        task.kill_capability().kill_within(Duration::from_millis(round));
        ended_of(task.join(), FaultKind::Killed)?;
        outcome?;
    }
    expect("blocks given back twice", (heap::statistics().refused - before) as u64, 0)
}

pub(crate) fn kill_counts_leaks() -> Outcome {
    kill_computing_with_owned(|| {})
}

/// A block that the task took and another task freed is not leaked. A block that the task freed for another task does not
/// make up for a leaked one.
pub(crate) fn leaks_are_the_owners() -> Outcome {
    const BLOCKS: usize = 20;
    let given: Arc<SpinLock<Vec<Box<[u8; OWNED]>>>> = Arc::default();
    let freed = Arc::new(AtomicBool::new(false));
    let for_the_task: Vec<Box<[u8; OWNED]>> = (0..BLOCKS).map(|_| Box::new([2; OWNED])).collect();
    let freer = {
        let (given, freed) = (Arc::clone(&given), Arc::clone(&freed));
        task::spawn("check: frees", move || {
            let all = eventually("the blocks are given", || given.lock().len() == BLOCKS);
            given.lock().clear();
            given.lock().shrink_to_fit();
            freed.store(true, Ordering::Release);
            all.is_ok()
        })?
    };
    kill_computing_with_owned(move || {
        drop(for_the_task);
        (0..BLOCKS).for_each(|_| given.lock().push(Box::new([3; OWNED])));
        while !freed.load(Ordering::Acquire) {
            task::yield_now();
        }
    })?;
    let gave = freer.join().map_err(|_| CheckError::Not("the other task ends well"))?;
    expect("all blocks were given", u64::from(gave), 1)
}

pub(crate) fn no_leftovers() -> Outcome {
    let before = task::count();
    for _ in 0..100 {
        let task = task::spawn("check: leftovers", || fault_injection::make(FaultKind::NullAccess))?;
        ended_of(task.join(), FaultKind::NullAccess)?;
    }
    eventually("as many tasks as before", || task::count() <= before)
}

/// A request that comes while the fault before it is being dealt with must find a place that catches it, or wait.
pub(crate) fn escalating() -> Outcome {
    for _ in 0..100 {
        let subject = computing_task("check: hunted")?;
        while !subject.task.has_ended() {
            // Refused when the task has just ended.
            let _refused = inject(FaultKind::NullAccess, subject.task.id());
            task::yield_now();
        }
        finish(subject, FaultKind::NullAccess)?;
    }
    Ok(())
}

pub(crate) fn hang() -> Outcome {
    let task = task::spawn("check: hangs", || {
        let _irq_off = cpu_local::InterruptGuard::new();
        loop {
            spin_loop();
        }
    })?;
    ended_of::<()>(task.join(), FaultKind::Hang)
}
