//! One step from a frame to its caller.

use core::fmt;

use fault_context::StackBounds;
use gimli::{
    BaseAddresses, CfaRule, EhFrame, EndianSlice, LittleEndian, Pointer, Register, RegisterRule, UnwindContext,
    UnwindContextStorage, UnwindSection, UnwindTableRow, X86_64,
};
use registers::{SavedRegisters, SwitchFrame};
use unwind_table::Found;

type Reader = EndianSlice<'static, LittleEndian>;

/// The integer registers in DWARF's numbering; the last is the instruction pointer.
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

    /// The registers of a task that gave up its CPU, whose frame lies at `address`.
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
        /// What the parser says.
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

/// What one frame's description says.
pub(crate) struct Step {
    /// The caller's registers; `None` where the description says that there is no caller.
    pub(crate) caller: Option<Registers>,
    /// Canonical frame address: the caller's stack pointer.
    pub(crate) cfa: u64,
    /// Start of the function.
    pub(crate) function: u64,
    /// Language-specific data.
    pub(crate) language_data: Option<u64>,
    /// The frame is an interrupt entry: its caller was interrupted, it did not call.
    pub(crate) is_signal: bool,
}

/// Goes from the frame with these registers, which `found` describes at `lookup`, to its caller.
#[inline(never)]
pub(crate) fn step(registers: &Registers, lookup: u64, found: &Found, stack: StackBounds) -> Result<Step, WalkError> {
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
        caller: caller(registers, row, cfa, stack)?,
        cfa,
        function: fde.initial_address(),
        language_data: match fde.lsda() {
            Some(Pointer::Direct(address)) if address != 0 => Some(address),
            _ => None,
        },
        is_signal: fde.is_signal_trampoline(),
    })
}

fn caller(
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
            RegisterRule::Offset(offset) => read_word(cfa.wrapping_add_signed(offset), rip, stack)?,
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
#[allow(clippy::cast_possible_truncation, reason = "an address has 64 bits here")]
pub(crate) fn read_word(address: u64, rip: u64, stack: StackBounds) -> Result<u64, WalkError> {
    if !stack.holds_word(address) {
        return Err(WalkError::OffStack { rsp: address, rip });
    }
    // SAFETY: the word lies on the stack, which whoever walks it keeps mapped; any bits are a valid word.
    Ok(unsafe { core::ptr::with_exposed_provenance::<u64>(address as usize).read_unaligned() })
}
