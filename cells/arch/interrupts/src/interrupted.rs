//! The code that an interrupt has stopped, as its handler sees it.

use registers::SavedRegisters;

/// The code that an interrupt or exception has stopped. A handler reads its registers; only unsafe code changes them.
#[derive(Debug)]
pub struct Interrupted<'a> {
    registers: &'a mut SavedRegisters,
}

impl<'a> Interrupted<'a> {
    /// The code that goes on from `registers`.
    pub(crate) const fn new(registers: &'a mut SavedRegisters) -> Self {
        Self { registers }
    }

    /// The registers at the moment of the interrupt.
    #[inline]
    pub const fn registers(&self) -> &SavedRegisters {
        self.registers
    }

    /// The registers from which the code goes on after the handler.
    ///
    /// # Safety
    /// The caller leaves registers with which the code may go on: those that it had, or those with which a function that
    /// is made for it may be entered in its place.
    #[inline]
    pub const unsafe fn registers_mut(&mut self) -> &mut SavedRegisters {
        self.registers
    }
}
