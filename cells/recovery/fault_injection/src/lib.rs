//! Makes real faults in running tasks, on request: for the `fault` command, the demonstration and the fault lab.
//!
//! Guarantees: the fault is the genuine thing (a real access, a real instruction, a stack really filled), made by the
//! task itself. A task that runs gets it at a timer tick, between two instructions of its code, as a call that the
//! code never made: as soon as a tick finds it in a function that can have changed nothing of its callers', or after half a
//! second of its own wherever it is. A task that waits gets it at its cancellation point. Nothing is faked in the records.
//!
//! A fault is not made where preemption is off or an interrupt is handled: the task is tested, not the
//! luck of the tick. Nothing here can fail; a task that ends first takes the request with it.
#![no_std]
extern crate alloc;

mod deadlock;
mod make;

pub use make::{INJECTABLE, make};

use core::arch::naked_asm;
use core::fmt;

use fault_context::{FaultContext, FaultKind};
use interrupts::Interrupted;
use registers::FLAG_DIRECTION;
use task_core::{FaultCap, TaskId};
use unwinder::enter_from_interruption;

/// Stack that is left between the interrupted frame and the fault.
const CLEARANCE: u64 = 128;

// SAFETY: this cell sets atomic orders in the contexts of other tasks, and uses no plain cell of theirs.
const FAULT: FaultCap = unsafe { FaultCap::new() };

/// Why no fault will be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectError {
    /// There is no such task, or it has ended.
    NoTask(TaskId),
    /// The task is the one that a CPU runs when there is nothing to do; nothing could catch its fault.
    Idle(TaskId),
    /// Faults of this kind happen, but are not made.
    Kind(FaultKind),
}

impl fmt::Display for InjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTask(task) => write!(f, "there is no task {task}"),
            Self::Idle(task) => write!(f, "task {task} is an idle task: nothing could catch its fault"),
            Self::Kind(kind) => write!(f, "a fault of kind '{}' cannot be made on purpose", kind.word()),
        }
    }
}

impl core::error::Error for InjectError {}

/// Has a task make a fault of this kind: at a tick if it runs, at once if it waits.
///
/// # Errors
/// The kind is not made on purpose, or the task has ended or is an idle task.
pub fn inject(kind: FaultKind, task: TaskId) -> Result<(), InjectError> {
    if !INJECTABLE.contains(&kind) {
        return Err(InjectError::Kind(kind));
    }
    let target = task_core::find(task).filter(|task| task.ended().is_none()).ok_or(InjectError::NoTask(task))?;
    if target.is_idle() {
        return Err(InjectError::Idle(task));
    }
    target.record().faults(FAULT).request_fault(kind);
    // A task that waits goes back to its loop, and before it parks again it comes to a cancellation point.
    wait_queue::kick(&target);
    Ok(())
}

/// Makes the interrupted task fault if that was asked for: for the hook `scheduler::TICK`, where the task could be preempted.
pub fn on_tick(interrupted: &mut Interrupted<'_>) {
    // SAFETY: the task goes on in `entry`, which is made for it and has its instruction and stack, or where it was.
    let registers = unsafe { interrupted.registers_mut() };
    let Some(context) = fault_context::current() else { return };
    let stack = context.stack.get();
    let landing = registers.rsp.wrapping_sub(CLEARANCE) & !15;
    if !context.takes_orders() || !stack.holds_word(landing) || !stack.holds_pointer(registers.rsp) {
        return;
    }
    if let Some(kind) = context.take_requested_fault() {
        context.making.set(true);
        registers.rdi = kind as u64;
        registers.rsi = registers.rip;
        registers.rdx = registers.rsp;
        registers.rsp = landing;
        registers.rip = entry as *const () as u64;
        registers.rflags &= !FLAG_DIRECTION;
    }
}

/// Makes the fault that the task wants while one of its faults is noted.
pub fn fault_in_noting(context: &FaultContext) {
    if let Some(kind) = context.fault_in_noting.take() {
        make(kind);
    }
}

/// Where the interrupted task goes on: with the kind and its interrupted instruction and stack pointers as arguments.
#[unsafe(naked)]
unsafe extern "C-unwind" fn entry(kind: u64, rip: u64, rsp: u64) {
    naked_asm!(
        ".cfi_startproc",
        enter_from_interruption!(),
        "call {made}
         ud2
         .cfi_endproc",
        made = sym make_number
    )
}

extern "C-unwind" fn make_number(kind: u64) {
    if let Some(context) = fault_context::current() {
        context.making.set(false);
    }
    make(u8::try_from(kind).ok().and_then(FaultKind::from_number).unwrap_or(FaultKind::Panic));
}
