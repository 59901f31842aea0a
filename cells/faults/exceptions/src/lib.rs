//! Turns processor exceptions into unwinding.
//!
//! Guarantees: an exception in a task that has a root is over within microseconds on the exception stack; the task
//! goes on in the unwinder, on its own stack, as if the faulting instruction had called it. A stack overflow first
//! gets the stack's reserve; a jump outside all text costs one return address; a lost stack pointer ends the task
//! without unwinding, all counted as leaked. Nothing here allocates or takes a lock.
//!
//! Can fail: where nothing catches (a CPU that runs no task, the unwinder's own last frames), the last resort is
//! called: registers and frames are logged, and the system ends as `unwinder::set_last_resort` was told.
#![no_std]

mod classify;

pub use classify::{Fault, PageFaultCode, classify};

use core::sync::atomic::{AtomicU64, Ordering};

use fault_context::{Cause, FaultContext, FaultKind, StackBounds};
use interrupts::{Interrupted, vectors};
use registers::SavedRegisters;
use unwinder::{Registers, Walker};
use x86_64::registers::control::Cr2;

static HANDLED: AtomicU64 = AtomicU64::new(0);

/// Starts to handle exceptions. Once, early: before tasks exist they are logged and end the system.
pub fn init() {
    interrupts::set_exception_hook(on_exception);
    interrupts::set_last_resort_hook(last_resort);
}

/// Exceptions handled since boot.
pub fn handled() -> u64 {
    HANDLED.load(Ordering::Relaxed)
}

fn on_exception(interrupted: &mut Interrupted<'_>) {
    // SAFETY: the code goes on at the faulting instruction, or as the unwinder says.
    let registers = unsafe { interrupted.registers_mut() };
    HANDLED.fetch_add(1, Ordering::Relaxed);
    let vector = (registers.vector & 0xff) as u8;
    if vector == vectors::DEBUG {
        // Nobody sets debug registers or the trap flag; stepping on is right whatever caused it.
        return;
    }
    let address = if vector == vectors::PAGE_FAULT { Cr2::read_raw() } else { 0 };
    let context = fault_context::current();
    let fault = classify(registers, address, context.and_then(|context| context.reserve.get()));
    let kind = stack_kind(fault.kind, registers, context);
    let cause = Cause { kind, instruction: fault.instruction, address, error_code: registers.error_code };
    report(context, cause);
    if kind == FaultKind::StackOverflow
        && let Some(context) = context
    {
        context.reveal_reserve();
    }
    registers.rip = fault.instruction;
    let can_recover = vector != vectors::MACHINE_CHECK && unwinder::begin_fault(registers, cause);
    if !can_recover {
        last_resort(registers);
    }
}

/// A fault with the stack pointer outside the stack is one of the stack, whatever else it looks like.
fn stack_kind(kind: FaultKind, registers: &SavedRegisters, context: Option<&FaultContext>) -> FaultKind {
    let lost = |stack: StackBounds| !stack.holds_pointer(registers.rsp);
    match context {
        Some(context) if kind != FaultKind::StackOverflow && lost(context.stack.get()) => FaultKind::StackLost,
        _ => kind,
    }
}

fn report(context: Option<&FaultContext>, cause: Cause) {
    let name = context.map(|context| context.name);
    let task = name.as_ref().map_or("boot", |name| name.as_str());
    // The fault log says more about it, once it is dealt with.
    log::debug!("task '{task}': {cause}");
}

/// Logs what is known and ends the system.
fn last_resort(registers: &SavedRegisters) -> ! {
    log::error!("{} on CPU {}, and nothing recovers from it", name(registers), cpu_local::cpu_id());
    log::error!("{registers}");
    if let Some(context) = fault_context::current() {
        let walker = Walker::from_interrupted(Registers::from(registers), context.stack.get());
        for frame in walker.take(16) {
            match frame {
                Ok(frame) => log::error!("  at {:#x}", frame.lookup),
                Err(error) => log::error!("  {error}"),
            }
        }
    }
    unwinder::nothing_catches()
}

fn name(registers: &SavedRegisters) -> &'static str {
    vectors::exception_name((registers.vector & 0xff) as u8)
}
