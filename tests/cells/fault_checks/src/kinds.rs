//! Each kind of fault, made by a task that owns something in each of several frames.

use alloc::sync::Arc;
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use fault_context::FaultKind;
use self_check::{CheckError, Outcome, expect};

use crate::destructors::nest;
use crate::ended_of;

/// Frames above the faulting one, all of which must be cleaned up.
const FRAMES: u64 = 4;

fn recovered(kind: FaultKind) -> Outcome {
    let drops = Arc::new(AtomicU64::new(0));
    let inner = Arc::clone(&drops);
    let before = fault_log::count();
    let task = task::spawn("check: fault", move || nest(FRAMES, &inner, &|| fault_injection::make(kind)))?;
    ended_of(task.join(), kind)?;
    expect("destructors run", drops.load(Ordering::SeqCst), FRAMES)?;
    expect("records in the fault log", u64::from(fault_log::count() > before), 1)
}

pub(crate) fn panic() -> Outcome {
    recovered(FaultKind::Panic)
}

pub(crate) fn null_access() -> Outcome {
    recovered(FaultKind::NullAccess)
}

pub(crate) fn page_fault() -> Outcome {
    recovered(FaultKind::PageFault)
}

pub(crate) fn general_protection() -> Outcome {
    recovered(FaultKind::GeneralProtection)
}

pub(crate) fn divide_error() -> Outcome {
    recovered(FaultKind::DivideError)
}

pub(crate) fn invalid_opcode() -> Outcome {
    recovered(FaultKind::InvalidOpcode)
}

pub(crate) fn breakpoint() -> Outcome {
    recovered(FaultKind::Breakpoint)
}

pub(crate) fn wild_jump() -> Outcome {
    recovered(FaultKind::WildJump)
}

pub(crate) fn deadlock() -> Outcome {
    recovered(FaultKind::Deadlock)
}

pub(crate) fn out_of_memory() -> Outcome {
    recovered(FaultKind::OutOfMemory)
}

/// The second time, the reserve must have been taken away and be there again.
pub(crate) fn stack_overflow() -> Outcome {
    recovered(FaultKind::StackOverflow)?;
    let task = task::spawn("check: two overflows", || {
        // SAFETY: the body takes no lock.
        let overflow = || unsafe { unwinder::catch(|| fault_injection::make(FaultKind::StackOverflow)) };
        let kinds = [overflow(), overflow()].map(|result| result.err().map(|caught| caught.cause.kind));
        kinds == [Some(FaultKind::StackOverflow); 2]
    })?;
    expect("both overflows were caught", u64::from(task.join().unwrap_or(false)), 1)
}

pub(crate) fn lost_stack() -> Outcome {
    let task = task::spawn("check: lost stack", || {
        // SAFETY: not sound, and meant to fault: the push hits an address that is never mapped, before anything else
        // happens with the stack pointer lost.
        unsafe { asm!("mov rsp, {nowhere}", "push 0", nowhere = in(reg) 0x7fff_ffff_d000u64, options(noreturn)) }
    })?;
    let id = task.id();
    ended_of(task.join(), FaultKind::StackLost)?;
    let record = crate::delivery::record_of(id).ok_or(CheckError::Missing("the record"))?;
    expect("its place is known", u64::from(record.function.as_str().contains("lost_stack")), 1)
}
