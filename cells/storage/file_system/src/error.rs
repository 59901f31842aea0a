//! Why a file operation was refused.
use crate::NodeId;
use core::fmt;

/// The refusals; the caller knows the path it asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsError {
    /// No such file or directory.
    NotFound,
    /// The name is taken.
    Exists,
    /// A directory is needed here.
    NotADirectory,
    /// A file is needed here.
    IsADirectory,
    /// A directory that has entries cannot be removed.
    NotEmpty,
    /// The path is empty, which names nothing; the root is `/`.
    EmptyPath,
    /// Not a name: empty, too long, `.`, `..`, or with a control character.
    InvalidName,
    /// The root of a file system cannot be created or removed.
    IsRoot,
    /// The node has been removed since.
    Stale,
    /// The file would end beyond the largest offset, or beyond memory.
    TooLarge,
    /// The file system's own limit is reached.
    NoSpace,
    /// The kernel has no memory for it.
    NoMemory,
    /// Something is mounted there already.
    Mounted,
    /// A node cannot move to another file system.
    OtherFileSystem,
    /// A directory cannot move into itself.
    IntoItself,
    /// An operation was cut short and left this behind.
    Damaged(Damage),
}

/// A fault in the structure of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A directory names a node that does not exist.
    Dangling(NodeId),
    /// A node has no name and is not open.
    Orphan(NodeId),
    /// A node has more than one name.
    Shared(NodeId),
    /// The names of a directory are out of order.
    Unsorted(NodeId),
    /// The sum of the sizes differs from the sum that is kept.
    Accounting,
}

impl fmt::Display for FsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotFound => "no such file or directory",
            Self::Exists => "exists already",
            Self::NotADirectory => "not a directory",
            Self::IsADirectory => "is a directory",
            Self::NotEmpty => "directory not empty",
            Self::EmptyPath => "the name is empty",
            Self::InvalidName => "not a valid name",
            Self::IsRoot => "is the root of a file system",
            Self::Stale => "has been removed",
            Self::TooLarge => "too large",
            Self::NoSpace => "file system full",
            Self::NoMemory => "out of memory",
            Self::Mounted => "something is mounted there",
            Self::OtherFileSystem => "is in another file system",
            Self::IntoItself => "a directory cannot move into itself",
            Self::Damaged(damage) => return write!(formatter, "file system damaged: {damage}"),
        })
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dangling(node) => write!(formatter, "a name without node {}", node.0),
            Self::Orphan(node) => write!(formatter, "node {} without a name", node.0),
            Self::Shared(node) => write!(formatter, "node {} with several names", node.0),
            Self::Unsorted(node) => write!(formatter, "directory {} out of order", node.0),
            Self::Accounting => formatter.write_str("sizes do not add up"),
        }
    }
}

impl core::error::Error for FsError {}
