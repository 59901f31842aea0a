//! What keeps a version in its place.

use alloc::string::String;
use core::fmt;

use manifest::Structure;

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

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static(name) => write!(f, "the value of its static {name} would be lost"),
            Self::Structure(Structure::Type, name) => write!(f, "the type {name} changes"),
            Self::Structure(Structure::Static, name) => write!(f, "the type of its static {name} changes"),
            Self::Structure(Structure::TraitObject, name) => write!(f, "the methods behind {name} change"),
            Self::Structure(Structure::Signature, name) => write!(f, "the signature of {name} changes"),
            Self::Function { name, user } => write!(f, "{user} refers to {name}, which would be gone"),
            Self::ThreadLocals => f.write_str("its thread locals change"),
        }
    }
}
