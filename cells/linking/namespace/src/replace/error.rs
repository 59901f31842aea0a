//! Why cells cannot be replaced.

use alloc::{boxed::Box, string::String};
use core::fmt;

use manifest::Structure;

use crate::LoadError;

/// What a change would break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// A static whose structure changes or that the new cell does not have: its value would be lost.
    Static(String),
    /// A structure that values in the running system may have.
    Structure(Structure, String),
    /// A function that others refer to and the new cell does not have.
    Function {
        /// Its mangled name.
        name: String,
        /// Who refers to it.
        user: String,
    },
    /// Thread locals that differ.
    ThreadLocals,
}

/// Why cells cannot be replaced. Everything is as it was.
#[derive(Debug)]
pub enum ReplaceError {
    /// The archive has no such build.
    Unknown {
        /// The name that was asked for.
        build: String,
    },
    /// The system is this build already.
    Nothing {
        /// The name that was asked for.
        build: String,
    },
    /// Another change is under way.
    Busy,
    /// The new cell would break what the running system relies on.
    Refused {
        /// The cell.
        cell: String,
        /// What it would break.
        held: Held,
    },
    /// The new cells cannot be loaded, or a reference to them has no value.
    Load(Box<LoadError>),
}

impl fmt::Display for ReplaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { build } => write!(f, "{build}: no such build in the archive"),
            Self::Nothing { build } => write!(f, "{build}: the system is this build already"),
            Self::Busy => f.write_str("another swap is under way; try again when it is done"),
            Self::Refused { cell, held } => {
                write!(f, "cell {cell} cannot be replaced: ")?;
                match held {
                    Held::Static(name) => write!(f, "the value of its static {name} would be lost"),
                    Held::Structure(kind, name) => write!(f, "the structure of {kind:?} {name} changes"),
                    Held::Function { name, user } => write!(f, "{user} refers to {name}, which would be gone"),
                    Held::ThreadLocals => f.write_str("its thread locals change"),
                }
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
