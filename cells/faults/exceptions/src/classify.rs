//! What kind of fault an exception is.

use fault_context::{FaultKind, Reserve};
use interrupts::vectors;
use registers::SavedRegisters;

/// Addresses below this are taken for a null pointer plus the offset of a field.
const NULL_AREA: u64 = 64 * 1024;

/// An exception, judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What it is.
    pub kind: FaultKind,
    /// The instruction to blame.
    pub instruction: u64,
}

/// The processor's error code of a page fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageFaultCode(pub u64);

impl PageFaultCode {
    /// The page is mapped; what was missing is the right.
    pub const fn present(self) -> bool {
        self.0 & 1 != 0
    }

    /// It was a write.
    pub const fn write(self) -> bool {
        self.0 & 2 != 0
    }

    /// It was an instruction fetch.
    pub const fn fetch(self) -> bool {
        self.0 & 16 != 0
    }
}

/// Judges the exception with these registers; `address` is the one accessed, if it is a page fault.
pub fn classify(registers: &SavedRegisters, address: u64, reserve: Option<Reserve>) -> Fault {
    let kind = match (registers.vector & 0xff) as u8 {
        vectors::PAGE_FAULT => page_fault(registers, address, reserve),
        vectors::GENERAL_PROTECTION | vectors::STACK_SEGMENT => FaultKind::GeneralProtection,
        vectors::DIVIDE_ERROR => FaultKind::DivideError,
        vectors::INVALID_OPCODE => FaultKind::InvalidOpcode,
        vectors::BREAKPOINT => FaultKind::Breakpoint,
        // It could not push its frame: the stack pointer is what is wrong.
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
    } else if PageFaultCode(registers.error_code).fetch() && address == registers.rip {
        FaultKind::WildJump
    } else if address < NULL_AREA {
        FaultKind::NullAccess
    } else {
        FaultKind::PageFault
    }
}
