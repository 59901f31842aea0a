//! Going over the frames of a stack.

use fault_context::StackBounds;

use crate::machine;
use crate::step::{Registers, Step, WalkError, read_word, step};

/// One frame of a stack.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// The registers in this frame.
    pub registers: Registers,
    /// An address inside the instruction at which the frame stands: the call that has not returned, or the
    /// interrupted instruction.
    pub lookup: u64,
    /// The caller's stack pointer.
    pub cfa: u64,
    /// Start of the function.
    pub function: u64,
    /// Address of the language-specific data, if the function has landing pads.
    pub language_data: Option<u64>,
    /// The frame was interrupted, it did not call: its tables say nothing about where it stands.
    pub interrupted: bool,
}

impl Frame {
    /// Where the frame stands or will return to.
    #[inline]
    pub const fn rip(&self) -> u64 {
        self.registers.rip()
    }

    /// Bytes of stack that the frame takes.
    #[inline]
    pub const fn size(&self) -> u64 {
        self.cfa.saturating_sub(self.registers.rsp())
    }
}

/// Iterator over the frames of a stack, innermost first. It ends at the frame that has no caller, or after the
/// first error.
#[derive(Debug, Clone)]
pub struct Walker {
    next: Option<Registers>,
    interrupted: bool,
    stack: StackBounds,
}

impl Walker {
    /// Walks from a frame that was interrupted at `registers.rip()`.
    pub const fn from_interrupted(registers: Registers, stack: StackBounds) -> Self {
        Self { next: Some(registers), interrupted: true, stack }
    }

    /// Walks from a frame that called something which returns to `registers.rip()`.
    pub const fn from_call(registers: Registers, stack: StackBounds) -> Self {
        Self { next: Some(registers), interrupted: false, stack }
    }

    /// The registers of the frame that comes next.
    #[inline]
    pub const fn peek(&self) -> Option<&Registers> {
        self.next.as_ref()
    }

    /// Takes the word at the top of the stack for the return address of a frame that has no text: what is left
    /// after a jump to a wild address through a call.
    pub(crate) fn pop_return_address(&mut self) -> Result<(), WalkError> {
        if let Some(registers) = &mut self.next {
            let rip = registers.rip();
            registers.0[Registers::RIP] = read_word(registers.rsp(), rip, self.stack)?;
            registers.0[Registers::RSP] += 8;
            self.interrupted = false;
        }
        Ok(())
    }

    fn advance(&mut self, registers: Registers) -> Result<Frame, WalkError> {
        let (rip, rsp) = (registers.rip(), registers.rsp());
        if !self.stack.holds_pointer(rsp) {
            return Err(WalkError::OffStack { rsp, rip });
        }
        // A return address may lie behind the last byte of a function whose last instruction is a call.
        let inside = if self.interrupted { rip } else { rip.wrapping_sub(1) };
        // A task that has not run yet stands at the first byte of its outermost function, as if it had returned there.
        let (lookup, found) = unwind_table::find(inside)
            .map(|found| (inside, found))
            .or_else(|| unwind_table::find(rip).map(|found| (rip, found)))
            .ok_or(WalkError::NoEntry { rip })?;
        let Step { caller, cfa, function, language_data, is_signal } = step(&registers, lookup, &found, self.stack)?;
        let frame = Frame { registers, lookup, cfa, function, language_data, interrupted: self.interrupted };
        if let Some(caller) = caller {
            // An interrupt may have switched stacks; a call only ever goes up.
            if caller.rsp() <= rsp && !is_signal {
                return Err(WalkError::NotAscending { rip });
            }
            // The first frame of a task was given no return address.
            self.next = (caller.rip() != 0).then_some(caller);
        }
        self.interrupted = is_signal;
        Ok(frame)
    }
}

impl Iterator for Walker {
    type Item = Result<Frame, WalkError>;

    fn next(&mut self) -> Option<Self::Item> {
        let registers = self.next.take()?;
        Some(self.advance(registers))
    }
}

/// Calls `use_walker` with a walker over the caller's own stack, beginning with the caller of this function.
#[inline(never)]
pub fn capture_here(stack: StackBounds, use_walker: &mut dyn FnMut(Walker)) {
    let mut walk = |registers: Registers| use_walker(Walker::from_call(registers, stack));
    machine::capture(&mut walk);
}
