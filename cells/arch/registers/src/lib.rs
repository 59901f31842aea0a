//! Register sets as they lie in memory, for code that saves, inspects or rewrites them.
//!
//! Guarantees: the layout is exactly that in which the assembly of `interrupts` and of the context switch pushes; the
//! offsets are pinned by the assertions below, so a field that moves fails the build and not the machine.
//! Pure data: nothing here can fail.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use core::fmt;
use core::mem::{offset_of, size_of};

/// All integer registers of an interrupted context, in the order in which the interrupt entry pushes them
/// (`r15` last, so lowest), followed by the words that the processor pushed.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the registers' own names")]
pub struct SavedRegisters {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rbp: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rdx: u64,
    pub rcx: u64,
    pub rbx: u64,
    pub rax: u64,
    /// The vector through which the processor came here.
    pub vector: u64,
    /// The processor's error code; zero for vectors that have none.
    pub error_code: u64,
    pub rip: u64,
    pub cs: u64,
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u64,
}

/// The interrupt-enable bit of `rflags`.
pub const FLAG_INTERRUPT: u64 = 1 << 9;
/// The direction bit of `rflags`; compiled code expects it clear.
pub const FLAG_DIRECTION: u64 = 1 << 10;

impl SavedRegisters {
    /// Whether the interrupted code ran with interrupts enabled.
    #[inline]
    pub const fn interrupts_enabled(&self) -> bool {
        self.rflags & FLAG_INTERRUPT != 0
    }
}

impl fmt::Display for SavedRegisters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rip {:#018x}  rsp {:#018x}  rflags {:#x}", self.rip, self.rsp, self.rflags)?;
        writeln!(f, "rax {:#018x}  rbx {:#018x}  rcx {:#018x}  rdx {:#018x}", self.rax, self.rbx, self.rcx, self.rdx)?;
        writeln!(f, "rsi {:#018x}  rdi {:#018x}  rbp {:#018x}  r8  {:#018x}", self.rsi, self.rdi, self.rbp, self.r8)?;
        writeln!(f, "r9  {:#018x}  r10 {:#018x}  r11 {:#018x}  r12 {:#018x}", self.r9, self.r10, self.r11, self.r12)?;
        writeln!(f, "r13 {:#018x}  r14 {:#018x}  r15 {:#018x}", self.r13, self.r14, self.r15)?;
        write!(f, "vector {}  error code {:#x}  cs {:#x}  ss {:#x}", self.vector, self.error_code, self.cs, self.ss)
    }
}

/// The frame that a voluntary context switch leaves on the stack of the task that gave up the CPU: the callee-saved
/// registers and the return address. `rsp` of the switched-out task points at `r15`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the registers' own names")]
pub struct SwitchFrame {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub rbx: u64,
    pub rbp: u64,
    pub rip: u64,
}

const _: () = assert!(size_of::<SavedRegisters>() == 22 * 8 && size_of::<SavedRegisters>().is_multiple_of(16));
const _: () = assert!(offset_of!(SavedRegisters, vector) == 15 * 8 && offset_of!(SavedRegisters, rip) == 17 * 8);
const _: () = assert!(size_of::<SwitchFrame>() == 7 * 8 && offset_of!(SwitchFrame, rip) == 48);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupt_flag_is_read_from_rflags() {
        let mut registers = SavedRegisters::default();
        assert!(!registers.interrupts_enabled());
        registers.rflags = 0x202;
        assert!(registers.interrupts_enabled());
    }
}
