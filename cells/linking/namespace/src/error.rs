//! Why cells cannot be loaded.

use alloc::{boxed::Box, string::String};
use core::fmt;

use archive::ArchiveError;
use linker::{Duplicate, LinkError};
use mapping::MapError;
use object::ObjectError;
use unwind_table::TableError;

use crate::segments::TextWriteError;

/// Why cells cannot be loaded. The namespace is as it was.
#[derive(Debug)]
pub enum LoadError {
    /// The namespace has not been set up.
    NoArchive,
    /// Cells are being replaced; when that is over cells can be loaded again.
    Replacing,
    /// The archive has no such cell.
    Unknown {
        /// The name that was asked for.
        cell: String,
    },
    /// A cell of this name is loaded.
    AlreadyLoaded {
        /// The cell.
        cell: String,
    },
    /// The cell is no application.
    NotAnApplication {
        /// The cell.
        cell: String,
    },
    /// A function that is called by its name has another type than its caller expects.
    EntryType(Box<EntryType>),
    /// A cell that this one uses is not loaded.
    DependencyMissing {
        /// The cell.
        cell: String,
        /// The cell that it uses.
        dependency: String,
    },
    /// The archive is damaged.
    Archive(ArchiveError),
    /// The object is damaged or is no cell's.
    Object {
        /// The cell.
        cell: String,
        /// The damage or lack.
        error: ObjectError,
    },
    /// The object has a section that only the seed's entry may have.
    Boot {
        /// The cell.
        cell: String,
    },
    /// Another cell defines the same symbol.
    Duplicate {
        /// The cell.
        cell: String,
        /// The cell that defines it already, the same one perhaps.
        first: String,
        /// Which symbol.
        error: Duplicate,
    },
    /// A reference cannot be given a value.
    Link {
        /// The cell.
        cell: String,
        /// Which reference, and why.
        error: LinkError,
    },
    /// There is no memory for it.
    Memory {
        /// The cell.
        cell: String,
        /// The memory that is missing.
        error: MapError,
    },
    /// The permanent stubs of its functions cannot be made.
    Stubs(TextWriteError),
    /// Its frame information cannot be read.
    Frames {
        /// The cell.
        cell: String,
        /// The damage or lack.
        error: TableError,
    },
    /// There is no room left for its thread locals.
    ThreadLocals {
        /// The cell.
        cell: String,
        /// The damage or lack.
        error: thread_local_image::ImageError,
    },
    /// Image and archive are of different builds.
    OtherBuild,
    /// The seed's map in the image cannot be read.
    SeedMap,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoArchive => f.write_str("there is no archive of cells"),
            Self::Replacing => f.write_str("cells are being replaced; try again when the swap is over"),
            Self::Unknown { cell } => write!(f, "{cell}: no such cell"),
            Self::AlreadyLoaded { cell } => write!(f, "cell {cell} is loaded already"),
            Self::NotAnApplication { cell } => write!(f, "cell {cell} is no application"),
            Self::EntryType(error) => error.fmt(f),
            Self::DependencyMissing { cell, dependency } => {
                write!(f, "cell {cell} uses cell {dependency}, which is not loaded")
            }
            Self::Archive(error) => error.fmt(f),
            Self::Object { cell, error } => write!(f, "cell {cell}: {error}"),
            Self::Boot { cell } => write!(f, "cell {cell}: section `.boot` is for the seed's entry only"),
            Self::Duplicate { cell, first, error } => {
                write!(f, "cell {cell}: symbol {} is already defined by cell {first}", error.symbol)
            }
            Self::Link { cell, error } => write!(f, "cell {cell}: {error}"),
            Self::Memory { cell, error } => write!(f, "cell {cell}: {error}"),
            Self::Stubs(error) => write!(f, "permanent stubs: {error}"),
            Self::Frames { cell, error } => write!(f, "cell {cell}: its frame information is damaged: {error}"),
            Self::ThreadLocals { cell, error } => write!(f, "cell {cell}: {error}"),
            Self::OtherBuild => f.write_str(
                "image and archive of cells are of different builds; boot with the pair that one build made",
            ),
            Self::SeedMap => f.write_str("the section map in the image cannot be read; build again"),
        }
    }
}

impl core::error::Error for LoadError {}

/// A function has another type than its caller expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryType {
    /// The cell with the function.
    pub cell: String,
    /// The type of the function.
    pub found: String,
    /// The cell that would call it.
    pub caller: String,
    /// The type that this cell expects.
    pub expected: String,
}

impl fmt::Display for EntryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cell, found, caller, expected } = self;
        write!(f, "cell {cell}: its entry has the type `{found}`, and {caller} expects `{expected}`")
    }
}
