//! Going over the frames of a stack: from each frame to its caller, as the frame information of its cell says.

use core::fmt;
use core::marker::PhantomData;

use fault_context::StackBounds;
use gimli::{
    BaseAddresses, CfaRule, EhFrame, EndianSlice, LittleEndian, Pointer, Register, RegisterRule, UnwindContext,
    UnwindContextStorage, UnwindSection, UnwindTableRow, X86_64,
};
use unwind_table::Found;

use crate::frame_registers::Registers;

type Reader = EndianSlice<'static, LittleEndian>;

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
pub struct Walker<'stack> {
    next: Option<Registers>,
    interrupted: bool,
    bounds: StackBounds,
    stack: PhantomData<&'stack ()>,
}

impl Walker<'_> {
    /// Walks from a frame that was interrupted at `registers.rip()`.
    ///
    /// # Safety
    /// As for [`from_call`](Self::from_call).
    pub const unsafe fn from_interrupted(registers: Registers, bounds: StackBounds) -> Self {
        Self { next: Some(registers), interrupted: true, bounds, stack: PhantomData }
    }

    /// Walks from a frame that waits for a call to return to `registers.rip()`.
    ///
    /// # Safety
    /// For `'stack`, the addresses from the stack pointer in `registers` to the end of `bounds` are mapped memory of one
    /// stack, and no cell is unloaded while frames of this stack stand in its text. Both are so for the caller's own
    /// stack, and for the stack of a task that is kept from running and from ending.
    pub const unsafe fn from_call(registers: Registers, bounds: StackBounds) -> Self {
        Self { next: Some(registers), interrupted: false, bounds, stack: PhantomData }
    }

    /// The registers of the frame that comes next.
    #[inline]
    pub const fn peek(&self) -> Option<&Registers> {
        self.next.as_ref()
    }

    /// Takes the word at the top of the stack for the return address of a frame that has no text, as a call of
    /// a wild address leaves it.
    pub(crate) fn pop_return_address(&mut self) -> Result<(), WalkError> {
        if let Some(registers) = &mut self.next {
            let rip = registers.rip();
            // SAFETY: the maker of the walker promised that the stack is mapped.
            registers.0[Registers::RIP] = unsafe { read_word(registers.rsp(), rip, self.bounds)? };
            registers.0[Registers::RSP] += 8;
            self.interrupted = false;
        }
        Ok(())
    }

    fn advance(&mut self, registers: Registers) -> Result<Frame, WalkError> {
        let (rip, rsp) = (registers.rip(), registers.rsp());
        if !self.bounds.holds_pointer(rsp) {
            return Err(WalkError::OffStack { rsp, rip });
        }
        // A return address may lie behind the last byte of a function that ends with a call.
        let inside = if self.interrupted { rip } else { rip.wrapping_sub(1) };
        // A task that has not run yet stands at the first byte of its outermost function, as if it had returned there.
        // SAFETY: the maker of the walker promised that the cells in which frames stand are not unloaded meanwhile.
        let find = |address| unsafe { unwind_table::find(address) }.map(|found| (address, found));
        let (lookup, found) = find(inside).or_else(|| find(rip)).ok_or(WalkError::NoEntry { rip })?;
        // SAFETY: likewise, and the stack is mapped.
        let Step { caller, cfa, function, language_data, is_signal } =
            unsafe { step(&registers, lookup, &found, self.bounds)? };
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

impl Iterator for Walker<'_> {
    type Item = Result<Frame, WalkError>;

    fn next(&mut self) -> Option<Self::Item> {
        let registers = self.next.take()?;
        Some(self.advance(registers))
    }
}

/// Why a stack could not be walked further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalkError {
    /// No registered text has frame information for this address.
    NoEntry {
        /// The address.
        rip: u64,
    },
    /// The stack pointer is outside the stack.
    OffStack {
        /// The stack pointer.
        rsp: u64,
        /// Where the frame stood.
        rip: u64,
    },
    /// The caller's frame would not be above this one.
    NotAscending {
        /// Where the frame stood.
        rip: u64,
    },
    /// The frame information uses a rule that compiled code does not.
    UnsupportedRule {
        /// Where the frame stood.
        rip: u64,
    },
    /// The frame information cannot be read.
    Malformed {
        /// Where the frame stood.
        rip: u64,
        /// The parser's error.
        cause: gimli::Error,
    },
}

impl fmt::Display for WalkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEntry { rip } => write!(f, "no frame information for {rip:#x}"),
            Self::OffStack { rsp, rip } => write!(f, "{rsp:#x} is outside the stack (frame of {rip:#x})"),
            Self::NotAscending { rip } => write!(f, "the caller of {rip:#x} would not be above it"),
            Self::UnsupportedRule { rip } => write!(f, "frame information of {rip:#x} uses an unsupported rule"),
            Self::Malformed { rip, cause } => write!(f, "frame information of {rip:#x}: {cause}"),
        }
    }
}

impl core::error::Error for WalkError {}

/// Room for evaluating frame information, on the stack. Compiled code has rules for at most eight registers, the
/// interrupt entries for all seventeen; one row is remembered at a time.
struct InPlace;

impl UnwindContextStorage<usize> for InPlace {
    type Rules = [(Register, RegisterRule<usize>); 18];
    type Stack = [UnwindTableRow<usize, Self>; 3];
}

/// The content of one frame's description.
struct Step {
    /// The caller's registers; `None` where the description says that there is no caller.
    caller: Option<Registers>,
    /// Canonical frame address: the caller's stack pointer.
    cfa: u64,
    /// Start of the function.
    function: u64,
    /// Language-specific data.
    language_data: Option<u64>,
    /// The frame is an interrupt entry: its caller was interrupted, it did not call.
    is_signal: bool,
}

/// Goes from the frame with these registers, which `found` describes at `lookup`, to its caller.
///
/// # Safety
/// As for [`Walker::from_call`].
#[inline(never)]
unsafe fn step(registers: &Registers, lookup: u64, found: &Found, stack: StackBounds) -> Result<Step, WalkError> {
    let rip = registers.rip();
    let malformed = |cause| WalkError::Malformed { rip, cause };
    let section: EhFrame<Reader> = EhFrame::new(found.eh_frame, LittleEndian);
    let bases = BaseAddresses::default().set_eh_frame(found.eh_frame.as_ptr().addr() as u64);
    let offset = (found.entry.fde_offset as usize).into();
    let fde = section.fde_from_offset(&bases, offset, EhFrame::cie_from_offset).map_err(malformed)?;
    let mut context = UnwindContext::<usize, InPlace>::new_in();
    let row = fde.unwind_info_for_address(&section, &bases, &mut context, lookup).map_err(malformed)?;

    let CfaRule::RegisterAndOffset { register, offset } = *row.cfa() else {
        return Err(WalkError::UnsupportedRule { rip });
    };
    let base = *registers.0.get(usize::from(register.0)).ok_or(WalkError::UnsupportedRule { rip })?;
    let cfa = base.wrapping_add_signed(offset);
    if !stack.holds_pointer(cfa) {
        return Err(WalkError::OffStack { rsp: cfa, rip });
    }
    Ok(Step {
        // SAFETY: the caller's promise.
        caller: unsafe { caller(registers, row, cfa, stack)? },
        cfa,
        function: fde.initial_address(),
        language_data: match fde.lsda() {
            Some(Pointer::Direct(address)) if address != 0 => Some(address),
            _ => None,
        },
        is_signal: fde.is_signal_trampoline(),
    })
}

/// The registers of the frame that called this one.
///
/// # Safety
/// As for [`Walker::from_call`].
unsafe fn caller(
    registers: &Registers,
    row: &UnwindTableRow<usize, InPlace>,
    cfa: u64,
    stack: StackBounds,
) -> Result<Option<Registers>, WalkError> {
    let rip = registers.rip();
    let mut caller = *registers;
    caller.0[Registers::RSP] = cfa;
    for (register, rule) in row.registers() {
        let Some(slot) = caller.0.get_mut(usize::from(register.0)) else {
            continue;
        };
        *slot = match *rule {
            // SAFETY: the caller's promise.
            RegisterRule::Offset(offset) => unsafe { read_word(cfa.wrapping_add_signed(offset), rip, stack)? },
            RegisterRule::ValOffset(offset) => cfa.wrapping_add_signed(offset),
            RegisterRule::SameValue => continue,
            RegisterRule::Undefined if *register == X86_64::RA => return Ok(None),
            RegisterRule::Undefined => 0,
            RegisterRule::Register(from) => {
                *registers.0.get(usize::from(from.0)).ok_or(WalkError::UnsupportedRule { rip })?
            }
            _ => return Err(WalkError::UnsupportedRule { rip }),
        };
    }
    Ok(Some(caller))
}

/// Reads a word of the stack.
///
/// # Safety
/// The stack is mapped.
#[allow(clippy::cast_possible_truncation, reason = "an address has 64 bits here")]
unsafe fn read_word(address: u64, rip: u64, stack: StackBounds) -> Result<u64, WalkError> {
    if !stack.holds_word(address) {
        return Err(WalkError::OffStack { rsp: address, rip });
    }
    // SAFETY: the word lies on the stack, which the caller keeps mapped; any bits are a valid word.
    Ok(unsafe { core::ptr::with_exposed_provenance::<u64>(address as usize).read_unaligned() })
}
