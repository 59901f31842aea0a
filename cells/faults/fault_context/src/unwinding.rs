//! The state of an unwinding: where it can stop, how far it is, and where it began.

use crate::Cause;

/// Where unwinding can stop: left on the stack by the one function that catches. The frame at `rsp` holds the
/// callee-saved registers, so the two words are all it takes to go on there.
#[repr(C)]
#[derive(Debug)]
pub struct CatchRecord {
    /// Stack pointer of the catching frame.
    pub rsp: u64,
    /// Where it goes on when something was caught.
    pub rip: u64,
    /// The record further out.
    pub previous: *const CatchRecord,
    /// The task's root, which alone stops a kill.
    pub is_root: bool,
    /// The unwinding that was under way when the record was made (a destructor that catches).
    pub outer: Unwinding,
}

/// How far the unwinding of a task is.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is being unwound.
    Idle,
    /// The unwinder itself runs; a fault now is a fault of the unwinder.
    Walking,
    /// A landing pad runs.
    Cleaning,
}

/// The state of an unwinding; small, so that a catch inside a destructor can put the outer one aside.
#[derive(Debug, Clone, Copy)]
pub struct Unwinding {
    /// How far it is.
    pub phase: Phase,
    /// Why it began.
    pub cause: Cause,
    /// Panics and faults in landing pads since it began.
    pub nested: u32,
    /// Frames with landing pads that could not be run.
    pub lost_frames: u32,
    /// Bytes of the frames with landing pads that could not be run.
    pub lost_bytes: u64,
    /// The time stamp counter when it began.
    pub began: u64,
}

impl Unwinding {
    /// No unwinding.
    pub const IDLE: Self =
        Self { phase: Phase::Idle, cause: Cause::NONE, nested: 0, lost_frames: 0, lost_bytes: 0, began: 0 };
}

/// The addresses at which the frames of a stack stood when a fault began, innermost first; of a recursion only the first
/// frames. They are kept inverted: the text may be gone when a scan looks for references to a cell that lies there then.
#[derive(Debug, Clone, Copy)]
pub struct Trace {
    frames: [u64; Self::FRAMES],
    /// How many there are.
    pub count: usize,
}

impl Trace {
    /// Frames that are kept: enough to get past the panic machinery to the code that is to blame.
    pub const FRAMES: usize = 24;
    /// No frame.
    pub const EMPTY: Self = Self { frames: [0; Self::FRAMES], count: 0 };

    /// Appends a frame, if there is room.
    pub fn push(&mut self, address: u64) {
        if let Some(slot) = self.frames.get_mut(self.count) {
            *slot = !address;
            self.count += 1;
        }
    }

    /// The frames that were kept.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.frames.iter().take(self.count).map(|frame| !frame)
    }
}
