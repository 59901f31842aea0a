//! Why a task ends early.

use core::fmt;

/// The kind of a fault. The numbers are stable: they cross cell borders in atomics.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A panic.
    Panic = 1,
    /// An access to the first page of the address space.
    NullAccess = 2,
    /// An access to an address that is not mapped, or not with these rights.
    PageFault = 3,
    /// A general protection fault, a stack fault or one of their kin.
    GeneralProtection = 4,
    /// A division by zero, or one with a quotient that does not fit.
    DivideError = 5,
    /// An instruction that is none.
    InvalidOpcode = 6,
    /// A breakpoint that no debugger set.
    Breakpoint = 7,
    /// The stack is full.
    StackOverflow = 8,
    /// A task that waits for itself, alone or through others.
    Deadlock = 9,
    /// Memory has run out.
    OutOfMemory = 10,
    /// A jump or return to an address outside all text.
    WildJump = 11,
    /// The stack pointer points outside the stack.
    StackLost = 12,
    /// A task with the right to do so ended it.
    Killed = 13,
    /// A CPU or task that makes no progress.
    Hang = 14,
    /// Any other exception of the processor.
    Exception = 15,
    /// The task ended itself: no fault, but unwound like a kill.
    Exit = 16,
}

impl FaultKind {
    /// The kind with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Panic,
            2 => Self::NullAccess,
            3 => Self::PageFault,
            4 => Self::GeneralProtection,
            5 => Self::DivideError,
            6 => Self::InvalidOpcode,
            7 => Self::Breakpoint,
            8 => Self::StackOverflow,
            9 => Self::Deadlock,
            10 => Self::OutOfMemory,
            11 => Self::WildJump,
            12 => Self::StackLost,
            13 => Self::Killed,
            14 => Self::Hang,
            15 => Self::Exception,
            16 => Self::Exit,
            _ => return None,
        })
    }

    /// The word for it in commands and logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::NullAccess => "null",
            Self::PageFault => "page",
            Self::GeneralProtection => "gp",
            Self::DivideError => "div",
            Self::InvalidOpcode => "ud",
            Self::Breakpoint => "breakpoint",
            Self::StackOverflow => "overflow",
            Self::Deadlock => "deadlock",
            Self::OutOfMemory => "oom",
            Self::WildJump => "jump",
            Self::StackLost => "stack",
            Self::Killed => "killed",
            Self::Hang => "hang",
            Self::Exception => "exception",
            Self::Exit => "exit",
        }
    }

    /// The kind that a command names.
    pub fn from_word(word: &str) -> Option<Self> {
        (1..=16).filter_map(Self::from_number).find(|kind| kind.word() == word)
    }

    /// Whether only the root of a task stops it.
    #[inline]
    pub const fn is_forced(self) -> bool {
        matches!(self, Self::Killed | Self::Exit | Self::Deadlock | Self::Hang | Self::StackLost)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panic => "panic",
            Self::NullAccess => "null pointer access",
            Self::PageFault => "page fault",
            Self::GeneralProtection => "general protection fault",
            Self::DivideError => "divide error",
            Self::InvalidOpcode => "invalid opcode",
            Self::Breakpoint => "breakpoint",
            Self::StackOverflow => "stack overflow",
            Self::Deadlock => "deadlock",
            Self::OutOfMemory => "out of memory",
            Self::WildJump => "jump outside all text",
            Self::StackLost => "stack pointer outside the stack",
            Self::Killed => "killed",
            Self::Hang => "no progress",
            Self::Exception => "processor exception",
            Self::Exit => "exited",
        })
    }
}

/// A fault with its circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The kind.
    pub kind: FaultKind,
    /// Where: the faulting instruction, or zero for a panic (its place is the first frame behind the machinery).
    pub instruction: u64,
    /// The address that was accessed, for page faults.
    pub address: u64,
    /// The processor's error code.
    pub error_code: u64,
}

impl Cause {
    /// Placeholder while nothing is wrong.
    pub const NONE: Self = Self::of(FaultKind::Panic);

    /// A fault of which only the kind is known.
    pub const fn of(kind: FaultKind) -> Self {
        Self { kind, instruction: 0, address: 0, error_code: 0 }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if self.instruction != 0 {
            write!(f, " at {:#x}", self.instruction)?;
        }
        if matches!(self.kind, FaultKind::PageFault | FaultKind::NullAccess | FaultKind::StackOverflow) {
            write!(f, ", accessing {:#x}", self.address)?;
        }
        Ok(())
    }
}
