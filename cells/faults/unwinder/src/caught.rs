//! The report on an unwinding that has arrived.

use core::fmt;

use fault_context::{Cause, FaultContext};
use hook::Hook;

/// A fault that was caught, and its costs. The context's trace says where the frames stood when it began.
#[derive(Debug, Clone, Copy)]
pub struct Caught {
    /// Why the unwinding began.
    pub cause: Cause,
    /// Panics and faults that followed in landing pads.
    pub nested: u32,
    /// Frames that were passed without their landing pads.
    pub lost_frames: u32,
    /// Bytes of those frames.
    pub lost_bytes: u64,
    /// Locks that were held by lost frames, released and poisoned now.
    pub released_locks: u32,
    /// When it began, in ticks of the time stamp counter.
    pub began: u64,
    /// Time from the fault to here, in ticks of the time stamp counter.
    pub ticks: u64,
    /// It was caught at the task's outermost root, so the task ends.
    pub at_root: bool,
}

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        if self.lost_frames != 0 {
            write!(f, "; {} frames of {} bytes lost", self.lost_frames, self.lost_bytes)?;
        }
        if self.released_locks != 0 {
            write!(f, "; {} locks released", self.released_locks)?;
        }
        Ok(())
    }
}

/// How much the hook [`CAUGHT`] is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// All that there is to do.
    Full,
    /// Only the necessary: doing more has led to another fault.
    Least,
}

/// Is called in the task that faulted, at the place that catches, whenever a fault was caught. The unset hook records
/// nothing.
pub static CAUGHT: Hook<fn(&FaultContext, &Caught, Detail)> = Hook::new(|_context, _caught, _detail| {});
