//! Why an archive cannot be read or written.

use alloc::string::String;
use core::fmt;

use manifest::Digest;

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
    /// A cell's bytes are cut off or cannot be unpacked.
    Blob {
        /// The cell.
        cell: String,
    },
    /// A cell's bytes are not those of which the manifest has the digest.
    Digest {
        /// The cell.
        cell: String,
        /// The digest in the manifest.
        recorded: Digest,
        /// Of the bytes that are there.
        found: Digest,
    },
    /// A cell's digests are of another version of the format.
    Details {
        /// The cell.
        cell: String,
        /// The reader's reason.
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
            Self::Blob { cell } => {
                write!(f, "cell `{cell}`: its bytes in the archive are damaged and cannot be unpacked")
            }
            Self::Digest { cell, recorded, found } => {
                let (recorded, found) = (Hexadecimal(recorded), Hexadecimal(found));
                write!(f, "cell `{cell}`: its bytes in the archive have digest {found}, the manifest says {recorded}")
            }
            Self::Details { cell, error } => write!(f, "cell `{cell}`: its digests cannot be read: {error}"),
            Self::TooLarge { size } => write!(f, "{size} bytes are more than an archive of cells can hold"),
        }
    }
}

/// The start of a digest: enough to see which it is.
struct Hexadecimal<'a>(&'a Digest);

impl fmt::Display for Hexadecimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl core::error::Error for ArchiveError {}
