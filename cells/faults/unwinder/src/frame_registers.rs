//! The registers of a frame, as frame information numbers them.

use registers::{SavedRegisters, SwitchFrame};

/// The integer registers in DWARF's numbering (System V ABI for AMD64, figure 3.36); the last is the instruction pointer.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registers(pub(crate) [u64; Registers::COUNT]);

impl Registers {
    pub(crate) const COUNT: usize = 17;
    pub(crate) const RAX: usize = 0;
    pub(crate) const RDX: usize = 1;
    pub(crate) const RBX: usize = 3;
    pub(crate) const RBP: usize = 6;
    pub(crate) const RSP: usize = 7;
    pub(crate) const R12: usize = 12;
    pub(crate) const RIP: usize = 16;

    /// All registers zero.
    pub const ZERO: Self = Self([0; Self::COUNT]);

    /// The instruction pointer.
    #[inline]
    pub const fn rip(&self) -> u64 {
        self.0[Self::RIP]
    }

    /// The stack pointer.
    #[inline]
    pub const fn rsp(&self) -> u64 {
        self.0[Self::RSP]
    }

    /// The registers of a task that gave up its CPU. The task's `frame` lies at `address`.
    pub const fn of_switch_frame(frame: &SwitchFrame, address: u64) -> Self {
        let mut registers = Self::ZERO;
        registers.0[Self::RBX] = frame.rbx;
        registers.0[Self::RBP] = frame.rbp;
        registers.0[Self::R12] = frame.r12;
        registers.0[Self::R12 + 1] = frame.r13;
        registers.0[Self::R12 + 2] = frame.r14;
        registers.0[Self::R12 + 3] = frame.r15;
        registers.0[Self::RSP] = address + size_of::<SwitchFrame>() as u64;
        registers.0[Self::RIP] = frame.rip;
        registers
    }
}

impl From<&SavedRegisters> for Registers {
    fn from(saved: &SavedRegisters) -> Self {
        Self([
            saved.rax, saved.rdx, saved.rcx, saved.rbx, saved.rsi, saved.rdi, saved.rbp, saved.rsp, saved.r8, saved.r9,
            saved.r10, saved.r11, saved.r12, saved.r13, saved.r14, saved.r15, saved.rip,
        ])
    }
}
