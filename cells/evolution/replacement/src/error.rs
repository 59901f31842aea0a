//! Why cells cannot be replaced.

use alloc::{boxed::Box, string::String};
use core::fmt;

use comparison::Incompatibility;
use namespace::LoadError;

/// Why cells cannot be replaced. Everything is as it was.
#[derive(Debug)]
pub enum ReplaceError {
    /// The archive has no such build.
    Unknown {
        /// The name that was asked for.
        build: String,
    },
    /// No build alters this cell.
    NoAlternate {
        /// The cell.
        cell: String,
    },
    /// An application that is another one in the build is loaded.
    Running {
        /// The application.
        application: String,
    },
    /// The system is this build already.
    Nothing {
        /// The name that was asked for.
        build: String,
    },
    /// Another change is under way.
    Busy,
    /// There is no memory for the notes of the change.
    Memory,
    /// The cell cannot be replaced while the system runs.
    Permanent {
        /// The cell.
        cell: String,
    },
    /// The new cell would break a part that the running system relies on.
    Refused {
        /// The cell.
        cell: String,
        /// The part of the running system that it would break.
        incompatibility: Incompatibility,
    },
    /// The new cells cannot be loaded, or a reference to them has no value.
    Load(Box<LoadError>),
}

impl fmt::Display for ReplaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { build } => write!(f, "{build}: no such build and no such cell; 'swap' lists the builds"),
            Self::NoAlternate { cell } => {
                write!(f, "cell {cell} has no alternate; 'swap' lists the builds and the cells that they change")
            }
            Self::Running { application } => {
                write!(f, "application {application} runs, and that build has another one; try again when it has ended")
            }
            Self::Nothing { build } => write!(f, "{build}: the system is this build already"),
            Self::Busy => f.write_str("another swap is under way; try again when it is done"),
            Self::Memory => f.write_str("no memory to note the change; end something and try again"),
            Self::Permanent { cell } => {
                write!(f, "cell {cell} cannot be replaced: the CPUs wait in it meanwhile; boot the other build")
            }
            Self::Refused { cell, incompatibility } => {
                write!(f, "cell {cell} cannot be replaced: {incompatibility}; the system stays as it is")
            }
            Self::Load(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ReplaceError {}

impl From<LoadError> for ReplaceError {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}
