//! Why an archive cannot be read or written.

use alloc::string::String;
use core::fmt;

/// Why an archive cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveError {
    /// The bytes do not start as an archive does.
    NotAnArchive,
    /// The archive ends before its manifest does.
    Truncated {
        /// Bytes that there are.
        size: usize,
    },
    /// The manifest's bytes are not those that were written.
    ManifestDigest,
    /// The manifest is of another version of the format.
    Manifest(postcard::Error),
    /// A cell's bytes are cut off or not those that were packed.
    Blob {
        /// The cell.
        cell: String,
    },
    /// A cell's digests are of another version of the format.
    Details {
        /// The cell.
        cell: String,
        /// What the reader says.
        error: postcard::Error,
    },
    /// More bytes than the format can hold.
    TooLarge {
        /// Bytes that were to be packed.
        size: usize,
    },
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnArchive => {
                f.write_str("the boot module is no archive of cells; boot with the one the build made")
            }
            Self::Truncated { size } => write!(f, "the archive of cells is cut off after {size} bytes"),
            Self::ManifestDigest => f.write_str("the archive's manifest is damaged: its digest differs"),
            Self::Manifest(error) => write!(f, "the archive's manifest cannot be read: {error}"),
            Self::Blob { cell } => write!(f, "cell `{cell}`: its bytes in the archive are damaged"),
            Self::Details { cell, error } => write!(f, "cell `{cell}`: its digests cannot be read: {error}"),
            Self::TooLarge { size } => write!(f, "{size} bytes are more than an archive of cells can hold"),
        }
    }
}

impl core::error::Error for ArchiveError {}
