//! Turns processor exceptions into unwinding.
//!
//! Guarantees: an exception in a task that has a root is over within microseconds on the exception stack; the task
//! goes on in the unwinder, on its own stack, as if the faulting instruction had called it. A stack overflow first
//! gets the stack's reserve; a jump outside all text costs one return address; a lost stack pointer ends the task
//! without unwinding, all counted as leaked. Nothing here allocates or takes a lock.
//!
//! Can fail: where nothing catches (a CPU that runs no task, the unwinder's own last frames), the last resort is
//! called: registers and frames are logged, and the system ends as [`unwinder::LAST_RESORT`] says.
#![no_std]

use fault_context::{Cause, FaultContext, FaultKind, Reserve, StackBounds};
use interrupts::{Interrupted, vectors};
use registers::SavedRegisters;
use unwinder::{Registers, Walker};
use x86_64::registers::control::Cr2;

/// Addresses below this are taken for a null pointer plus the offset of a field.
const NULL_AREA: u64 = 64 * 1024;

/// The bit of a page fault's error code for an instruction fetch (Intel SDM volume 3, 4.7).
const INSTRUCTION_FETCH: u64 = 1 << 4;

/// The handler of exceptions, for [`interrupts::EXCEPTION`]. Before tasks exist an exception is logged and ends the system.
pub fn on_exception(interrupted: &mut Interrupted<'_>) {
    // SAFETY: the code goes on at the faulting instruction, or as the unwinder says.
    let registers = unsafe { interrupted.registers_mut() };
    let vector = (registers.vector & 0xff) as u8;
    if vector == vectors::DEBUG {
        // No code of the system sets debug registers or the trap flag; the CPU steps on.
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
    // SAFETY: the registers are those of the interrupted code, and exceptions are handled with interrupts off.
    let can_recover = vector != vectors::MACHINE_CHECK && unsafe { unwinder::begin_fault(registers, cause) };
    if !can_recover {
        last_resort(registers);
    }
}

/// An exception, judged: its kind, and the instruction to blame.
struct Fault {
    kind: FaultKind,
    instruction: u64,
}

/// Judges the exception with these registers; `address` is the accessed one of a page fault.
fn classify(registers: &SavedRegisters, address: u64, reserve: Option<Reserve>) -> Fault {
    let kind = match (registers.vector & 0xff) as u8 {
        vectors::PAGE_FAULT => page_fault(registers, address, reserve),
        vectors::GENERAL_PROTECTION | vectors::STACK_SEGMENT => FaultKind::GeneralProtection,
        vectors::DIVIDE_ERROR => FaultKind::DivideError,
        vectors::INVALID_OPCODE => FaultKind::InvalidOpcode,
        vectors::BREAKPOINT => FaultKind::Breakpoint,
        // The processor could not push the frame of an exception: the stack pointer is wrong.
        vectors::DOUBLE_FAULT => FaultKind::StackLost,
        _ => FaultKind::Exception,
    };
    // The saved address is behind a breakpoint, but at the culprit for all others.
    let instruction = registers.rip - u64::from(kind == FaultKind::Breakpoint);
    Fault { kind, instruction }
}

fn page_fault(registers: &SavedRegisters, address: u64, reserve: Option<Reserve>) -> FaultKind {
    let in_guard = |reserve: Reserve| address >= reserve.guard_low && address < reserve.guard_high;
    if reserve.is_some_and(in_guard) {
        FaultKind::StackOverflow
    } else if registers.error_code & INSTRUCTION_FETCH != 0 && address == registers.rip {
        FaultKind::WildJump
    } else if address < NULL_AREA {
        FaultKind::NullAccess
    } else {
        FaultKind::PageFault
    }
}

/// A fault with the stack pointer outside the stack is a fault of the stack, also where it looks like another kind.
fn stack_kind(kind: FaultKind, registers: &SavedRegisters, context: Option<&FaultContext>) -> FaultKind {
    let lost = |stack: StackBounds| !stack.holds_pointer(registers.rsp);
    match context {
        Some(context) if kind != FaultKind::StackOverflow && lost(context.stack.get()) => FaultKind::StackLost,
        _ => kind,
    }
}

fn report(context: Option<&FaultContext>, cause: Cause) {
    // The fault log says more about it, once it is dealt with.
    match context {
        Some(task) => log::debug!("task {} '{}': {cause}", task.task, task.name),
        None => log::debug!("the boot: {cause}"),
    }
}

/// Logs the registers and the frames, and ends the system: for [`interrupts::LAST_RESORT`].
pub fn last_resort(registers: &SavedRegisters) -> ! {
    log::error!("{} on CPU {}, and nothing recovers from it", name(registers), cpu_local::cpu_id());
    log::error!("{registers}");
    if let Some(context) = fault_context::current() {
        // SAFETY: the system ends here: the stack of the running context stays, and no cell is unloaded.
        let walker = unsafe { Walker::from_interrupted(Registers::from(registers), context.stack.get()) };
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
