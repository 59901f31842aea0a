//! The words in which a change is described.

use alloc::string::String;
use core::{fmt, ops::Range};

use linker::CellId;
use namespace::{EntryPoint, parts::Candidate};

/// A part of the text that no stack may be in when the change takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstable {
    /// Its addresses.
    pub range: Range<u64>,
    /// The cell.
    pub cell: String,
    /// The section's name.
    pub section: String,
}

/// The functions by which a cell hands its state over: mangled paths are in the manifest's cell of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateTransfer {
    /// `export_state` of the old cell.
    pub export_state: EntryPoint,
    /// `import_state` of the old cell, to give the state back.
    pub give_back: EntryPoint,
    /// `import_state` of the new cell.
    pub import_state: EntryPoint,
}

/// The namespace that a replacement leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal<'a> {
    /// The build of this name: an alternate, or [`namespace::BASE`].
    Build(&'a str),
    /// The present one, but with a fresh instance of the cell of this name, which is no application. No stack may be in any of
    /// the old instance's text.
    Fresh(&'a str),
}

impl fmt::Display for Goal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(name) => f.write_str(name),
            Self::Fresh(cell) => write!(f, "of {cell} by itself"),
        }
    }
}

/// A cell of which a build has another object than the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub cell: String,
    /// The object is the base's: an earlier swap had changed the cell, and the build does not.
    pub back: bool,
    /// An application, which is not loaded now.
    pub at_next_start: bool,
}

/// Both versions of a cell that is to be replaced.
pub(crate) struct Versions {
    pub(crate) old: CellId,
    pub(crate) before: Candidate,
    pub(crate) after: Candidate,
}
