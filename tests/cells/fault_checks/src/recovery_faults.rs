//! Faults of recovery itself: while an exception is being handled, and while a fault is being noted.

use core::ops::Range;
use core::ptr;

use fault_context::{FaultKind, Name, Reserve};
use fault_injection::make;
use self_check::{CheckError, Outcome, expect, holds};
use task::{Builder, CpuSet};

use crate::ended_of;

/// Faults in a row on each CPU: more than an emergency stack has levels.
const FAULTS: usize = 20;

/// Never mapped, and where [`FaultKind::PageFault`] is made: it stands for the guard of a stack here.
const GUARD: Range<u64> = 0x7fff_ffff_f000..0x8000_0000_0000;

unsafe fn reveal_with_fault(_stack: *const ()) {
    make(FaultKind::NullAccess);
}

unsafe fn reveal_with_panic(_stack: *const ()) {
    panic!("the handler of an exception panics, as the check wants");
}

unsafe fn hide_nothing(_stack: *const ()) {}

/// Has an exception. Its handler, on the emergency stack, wants to make the stack's reserve usable, and `reveal` does not
/// do so. Returns the kind of the fault that was caught, if any.
fn fault_in_handler(reveal: unsafe fn(*const ())) -> Option<FaultKind> {
    let context = fault_context::current()?;
    let real = context.reserve.get();
    let reserve =
        Reserve { stack: ptr::null(), reveal, hide: hide_nothing, guard_low: GUARD.start, guard_high: GUARD.end };
    // SAFETY: the functions do nothing with the stack, and the real reserve is back before the stack can need it.
    unsafe { context.reserve.set(Some(reserve)) };
    // SAFETY: the body takes no lock.
    let caught = unsafe { unwinder::catch_root(|| make(FaultKind::PageFault)) };
    // SAFETY: the value that was there before.
    unsafe { context.reserve.set(real) };
    caught.err().map(|caught| caught.cause.kind)
}

/// On each CPU, more such faults than its emergency stack has room for at once.
fn in_handler(reveal: unsafe fn(*const ()), expected: FaultKind) -> Outcome {
    for cpu in task::scheduling_cpus().iter() {
        let task = Builder::new().name("check: handler").affinity(CpuSet::EMPTY.with(cpu)).spawn(move || {
            let recovered = (0..FAULTS).filter(|_| fault_in_handler(reveal) == Some(expected)).count();
            (recovered, interrupts::fault_levels(cpu), cpu_local::interrupt_depth(), cpu_local::interrupts_enabled())
        })?;
        let (recovered, levels, depth, enabled) = task.join()?;
        expect("faults that were caught", recovered as u64, FAULTS as u64)?;
        expect("levels of the emergency stack in use", levels.into(), 0)?;
        expect("interrupts being handled", depth.into(), 0)?;
        holds("interrupts are on", enabled)?;
    }
    Ok(())
}

pub(crate) fn fault_in_exception_handler() -> Outcome {
    in_handler(reveal_with_fault, FaultKind::StackLost)
}

pub(crate) fn panic_in_exception_handler() -> Outcome {
    in_handler(reveal_with_panic, FaultKind::Panic)
}

/// A task has a fault that cannot be noted without another one, `of_noting`. Its records are of these two faults, in this
/// order.
fn in_noting(of_noting: FaultKind) -> Outcome {
    let task = task::spawn("check: hard to note", move || {
        if let Some(context) = fault_context::current() {
            context.fault_in_noting.set(Some(of_noting));
        }
        make(FaultKind::DivideError);
    })?;
    let id = task.id();
    ended_of(task.join(), FaultKind::DivideError)?;
    let mut records = fault_log::records().filter(|record| record.task == id.number());
    for expected in [FaultKind::DivideError, of_noting] {
        let record = records.next().ok_or(CheckError::Missing("a record"))?;
        expect("kind of fault", record.kind as u64, expected as u64)?;
        holds("the address is known", record.offset != 0)?;
        holds("names are not looked for again", record.cell == Name::EMPTY)?;
    }
    holds("there are no more records", records.next().is_none())
}

pub(crate) fn fault_in_noting() -> Outcome {
    in_noting(FaultKind::NullAccess)
}

pub(crate) fn panic_in_noting() -> Outcome {
    in_noting(FaultKind::Panic)
}
