//! Faults that come from outside, into tasks that do something else.

use alloc::sync::Arc;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;

use fault_context::FaultKind;
use fault_injection::{INJECTABLE, inject};
use task::Joinable;
use wait_queue::WaitQueue;

use crate::destructors::Counted;
use crate::{CheckError, ended_of, equal, wait_until};

/// A task that computes until it is ended, with something owned by the frame above.
#[inline(never)]
fn compute(going: &AtomicBool) {
    loop {
        going.store(true, Ordering::Relaxed);
        spin_loop();
    }
}

struct Subject {
    task: Joinable<()>,
    drops: Arc<AtomicU64>,
}

fn computing_task(name: &str) -> Result<Subject, CheckError> {
    let (drops, going) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (inner, started) = (Arc::clone(&drops), Arc::clone(&going));
    let task = task::spawn(name, move || {
        let _counted = Counted(inner);
        compute(&going);
    })?;
    let subject = Subject { task, drops };
    match wait_until("the task computes", || started.load(Ordering::Relaxed)) {
        Ok(()) => Ok(subject),
        Err(error) => {
            subject.task.kill_capability().kill();
            subject.task.detach();
            Err(error)
        }
    }
}

fn finish(subject: Subject, kind: FaultKind) -> Result<(), CheckError> {
    ended_of(subject.task.join(), kind)?;
    equal("destructors run", subject.drops.load(Ordering::SeqCst), 1)
}

pub(crate) fn computing() -> Result<(), CheckError> {
    for kind in INJECTABLE {
        let subject = computing_task("check: computes")?;
        inject(kind, subject.task.id())?;
        finish(subject, kind)?;
    }
    Ok(())
}

pub(crate) fn waiting() -> Result<(), CheckError> {
    for kind in INJECTABLE {
        let drops = Arc::new(AtomicU64::new(0));
        let inner = Arc::clone(&drops);
        let task = task::spawn("check: waits", move || {
            let _counted = Counted(inner);
            let nobody_wakes = WaitQueue::new();
            wait_queue::wait_for(&nobody_wakes, || None::<()>);
        })?;
        let observed = task.observe();
        wait_until("the task waits", || observed.state() == task::State::Blocked)?;
        inject(kind, task.id())?;
        finish(Subject { task, drops }, kind)?;
    }
    Ok(())
}

pub(crate) fn kill_computing() -> Result<(), CheckError> {
    let subject = computing_task("check: killed")?;
    subject.task.kill_capability().kill_within(Duration::from_millis(20));
    finish(subject, FaultKind::Killed)
}

pub(crate) fn log_names_culprit() -> Result<(), CheckError> {
    let subject = computing_task("check: culprit")?;
    let id = subject.task.id();
    inject(FaultKind::InvalidOpcode, id)?;
    finish(subject, FaultKind::InvalidOpcode)?;
    let record = fault_log::records().find(|record| record.task == id.number());
    let record = record.ok_or(CheckError::Missing("the record"))?;
    equal("the cell is this one", u64::from(record.cell.as_str() == "fault_checks"), 1)?;
    equal("the function is named", u64::from(record.function.as_str().contains("compute")), 1)
}

pub(crate) fn no_leftovers() -> Result<(), CheckError> {
    let before = task::count();
    for _ in 0..100 {
        let task = task::spawn("check: leftovers", || fault_injection::make(FaultKind::NullAccess))?;
        ended_of(task.join(), FaultKind::NullAccess)?;
    }
    wait_until("as many tasks as before", || task::count() <= before)
}

/// One CPU alone is not watched.
pub(crate) fn hang() -> Result<(), CheckError> {
    if task::scheduling_cpus().len() < 2 {
        return Ok(());
    }
    let task = task::spawn("check: hangs", || {
        let _quiet = cpu_local::InterruptGuard::new();
        loop {
            spin_loop();
        }
    })?;
    ended_of::<()>(task.join(), FaultKind::Hang)
}
