//! The reasons why one version of a cell cannot take the place of another.

use alloc::string::String;
use core::fmt;

use manifest::Structure;

/// The reason why one version cannot take the place of another: the part of the running system that it would break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incompatibility {
    /// A static that changes its structure or that the new cell does not have: its value would be lost.
    Static(String),
    /// A structure that changes, though values in the running system may have it.
    Structure(Structure, String),
    /// A function that others refer to and the new cell does not have.
    Function {
        /// Its mangled name.
        name: String,
        /// A cell that refers to it.
        user: String,
    },
    /// Thread locals that differ.
    ThreadLocals,
    /// The build took no structural digests of a version, so nothing can be compared.
    NoDigests,
}

impl fmt::Display for Incompatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static(name) => write!(f, "the value of its static {name} would be lost"),
            Self::Structure(Structure::Type, name) => write!(f, "the type {name} changes"),
            Self::Structure(Structure::Static, name) => write!(f, "the type of its static {name} changes"),
            Self::Structure(Structure::TraitObject, name) => write!(f, "the methods behind {name} change"),
            Self::Structure(Structure::Signature, name) => write!(f, "the signature of {name} changes"),
            Self::Function { name, user } => write!(f, "{user} refers to {name}, which would be gone"),
            Self::ThreadLocals => f.write_str("its thread locals change"),
            Self::NoDigests => f.write_str("it was built without debug information, so its types cannot be compared"),
        }
    }
}
