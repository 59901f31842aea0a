//! One fault, as it is kept.

use core::fmt;
use core::time::Duration;

use fault_context::{FaultKind, Name, Trace};

use crate::text::Text;

/// What was done about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The task caught it itself and went on.
    Caught,
    /// The task was ended; whoever joins it is told.
    Ended,
    /// Its supervisor started it anew, for the given time in a row.
    Restarted(u32),
    /// Its supervisor gave up: it failed too often.
    GivenUp,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught => f.write_str("caught"),
            Self::Ended => f.write_str("ended"),
            Self::Restarted(1) => f.write_str("restarted"),
            Self::Restarted(times) => write!(f, "restarted ({times} in a row)"),
            Self::GivenUp => f.write_str("given up"),
        }
    }
}

/// One fault.
#[derive(Debug, Clone, Copy)]
pub struct FaultRecord {
    /// Its number since boot, from 0.
    pub number: u64,
    /// When it was dealt with.
    pub at: Duration,
    /// When it began, in ticks of the time stamp counter.
    pub began: u64,
    /// What it was.
    pub kind: FaultKind,
    /// The task's number.
    pub task: u64,
    /// The task's name.
    pub task_name: Name,
    /// The cell to blame; empty if unknown.
    pub cell: Name,
    /// Nobody is to look for names: that led to another fault.
    pub nameless: bool,
    /// The function to blame, demangled.
    pub function: Text,
    /// Where in the function; the bare address if the function is unknown.
    pub offset: u64,
    /// The address accessed, for page faults.
    pub address: u64,
    /// The CPU on which it was caught.
    pub cpu: u32,
    /// Locks released and poisoned because their frame was lost.
    pub released_locks: u32,
    /// Frames passed without their landing pads.
    pub lost_frames: u32,
    /// Bytes of stack that those frames took.
    pub lost_bytes: u64,
    /// Bytes of the heap that the task took and nobody has freed, if frames were lost.
    pub leaked_bytes: u64,
    /// Panics and faults that followed during the unwinding.
    pub nested: u32,
    /// Where the frames stood.
    pub trace: Trace,
    /// What was done.
    pub action: Action,
    /// How long it took from the fault until the task was unwound.
    pub microseconds: u64,
}

impl fmt::Display for FaultRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault {}: {} in task {} '{}'", self.number, self.kind, self.task, self.task_name)?;
        if self.cell == Name::EMPTY {
            write!(f, " at {:#x}", self.offset)?;
        } else {
            write!(f, " at {}: {}+{:#x}", self.cell, self.function, self.offset)?;
        }
        write!(
            f,
            "; {} locks released, {} frames lost, {} bytes leaked; ",
            self.released_locks, self.lost_frames, self.leaked_bytes
        )?;
        let (microseconds, cpu) = (self.microseconds, self.cpu);
        match self.action {
            Action::Caught | Action::Ended => write!(f, "{} in {microseconds} us on cpu{cpu}", self.action),
            // The time is that of the fault; the pause before a restart is no part of it.
            Action::Restarted(_) | Action::GivenUp => {
                write!(f, "{} in {microseconds} us on cpu{cpu}, then {}", Action::Ended, self.action)
            }
        }
    }
}
