//! The places that the fault log names, for faults of all kinds.

use core::hint::black_box;

use fault_context::FaultKind;
use fault_injection::{INJECTABLE, inject, make};
use self_check::{CheckError, Outcome, expect};
use task::TaskId;

use crate::Unexpected;

use crate::delivery::{computing_task, finish, record_of};
use crate::ended_of;

/// The record of the task's fault blames `function`, in `cell`.
fn blames(task: TaskId, cell: &str, function: &'static str) -> Outcome {
    let record = record_of(task).ok_or(CheckError::Missing("the record"))?;
    expect("the cell is the right one", u64::from(record.cell.as_str() == cell), 1)?;
    let found = record.function.as_str();
    if found.contains(function) {
        return Ok(());
    }
    Err(Unexpected::Blame { kind: record.kind, found: found.into(), expected: function }.into())
}

/// This cell.
const HERE: &str = "fault_checks";

/// The interrupted function is the one to blame.
pub(crate) fn injected() -> Outcome {
    for kind in INJECTABLE {
        let subject = computing_task("check: culprit")?;
        let id = subject.task.id();
        inject(kind, id)?;
        finish(subject, kind)?;
        blames(id, "subject", "subject::computation::compute")?;
    }
    Ok(())
}

#[inline(never)]
fn culprit(kind: FaultKind) {
    make(kind);
    black_box(kind);
}

/// The function that asked for it is the one to blame.
pub(crate) fn own() -> Outcome {
    for kind in INJECTABLE.into_iter().chain([FaultKind::PageFault, FaultKind::Breakpoint, FaultKind::WildJump]) {
        let task = task::spawn("check: culprit", move || culprit(kind))?;
        let id = task.id();
        ended_of(task.join(), kind)?;
        blames(id, HERE, "places::culprit")?;
    }
    Ok(())
}

/// One half of a recursion that has no end.
#[inline(never)]
#[allow(unconditional_recursion, reason = "that is the point")]
fn recur(depth: u64) -> u64 {
    black_box([depth; 16])[0] + recur_again(depth + 1)
}

/// The other half.
#[inline(never)]
fn recur_again(depth: u64) -> u64 {
    black_box([depth; 8])[0] + recur(depth + 1)
}

pub(crate) fn recursion() -> Outcome {
    let task = task::spawn("check: recursion", || {
        black_box(recur(black_box(0)));
    })?;
    let id = task.id();
    ended_of(task.join(), FaultKind::StackOverflow)?;
    blames(id, HERE, "places::recur")
}
