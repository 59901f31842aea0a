//! How tasks end.

use core::fmt;

use fault_context::{Cause, FaultKind};

/// How a task ended that did not return from its function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It panicked.
    Panicked(Cause),
    /// The processor, the heap or a watchdog found a fault in it.
    Faulted(Cause),
    /// Another task ended it.
    Killed,
    /// It ended itself without a result.
    Exited,
}

impl From<Cause> for Ended {
    fn from(cause: Cause) -> Self {
        match cause.kind {
            FaultKind::Panic => Self::Panicked(cause),
            FaultKind::Killed => Self::Killed,
            _ => Self::Faulted(cause),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(_) => f.write_str("panicked"),
            Self::Faulted(cause) => write!(f, "faulted: {cause}"),
            Self::Killed => f.write_str("killed"),
            Self::Exited => f.write_str("exited"),
        }
    }
}

impl core::error::Error for Ended {}
