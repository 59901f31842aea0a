//! The promises of a file system, and the tree that several of them form.
//!
//! To a file system: [`FileSystem`] lists the few operations that it supplies. To `vfs`: [`Mounts`] walks paths across
//! all file systems that are mounted. Nothing here waits or locks: the one lock is in `vfs`, so this crate and the file
//! systems are tested on the host. An operation that fails, for lack of memory too, leaves the tree as it was and says
//! why with an [`FsError`].
//!
//! The tree knows absolute paths only (a leading `/` may be left out). [`absolute`] makes one of a path that is relative to
//! a working directory, with `.` and `..` carried out.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod error;
mod mounts;
mod path;

pub use error::{Damage, FsError};
pub use mounts::{Handle, Mounts, OpenOptions};
pub use path::{MAX_NAME, absolute, components, is_name};

use alloc::string::String;
use alloc::vec::Vec;

/// A file or directory within one file system.
///
/// No two nodes have had the same number, so an identity which outlives its node is noticed instead of naming another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub u64);

/// The kinds of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sequence of bytes.
    File,
    /// A set of named nodes.
    Directory,
}

/// Facts about a node that need no reading of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its kind.
    pub kind: Kind,
    /// Bytes in a file, entries in a directory.
    pub size: u64,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, without any `/`.
    pub name: String,
    /// The kind and size of the node.
    pub metadata: Metadata,
}

/// How much a file system holds and may hold, in bytes of file contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes in files.
    pub used: u64,
    /// The most that may be.
    pub capacity: u64,
}

/// A file system. Names passed in have been checked by [`is_name`].
pub trait FileSystem: Send {
    /// The directory everything hangs from.
    fn root(&self) -> NodeId;

    /// The node that `name` names in `directory`.
    fn lookup(&self, directory: NodeId, name: &str) -> Result<NodeId, FsError>;

    /// Makes an empty node under a name that must be free, and opens it if `open`.
    fn create(&mut self, directory: NodeId, name: &str, kind: Kind, open: bool) -> Result<NodeId, FsError>;

    /// Takes a name away. A directory must be empty; an open file lives on, nameless, until it is closed.
    fn remove(&mut self, directory: NodeId, name: &str) -> Result<(), FsError>;

    /// Moves a node to another name, in the same directory or another one. A file that has the new name is replaced;
    /// anything else under that name is a refusal. A directory does not go into itself or a directory below it.
    fn rename(&mut self, from: (NodeId, &str), to: (NodeId, &str)) -> Result<(), FsError>;

    /// Keeps a file alive until the matching [`close`](Self::close).
    fn open(&mut self, node: NodeId) -> Result<(), FsError>;

    /// Undoes one [`open`](Self::open).
    fn close(&mut self, node: NodeId) -> Result<(), FsError>;

    /// Copies bytes from `offset` on; fewer than asked for only at the end.
    fn read(&self, node: NodeId, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError>;

    /// Puts all of `bytes` at `offset`; a gap before them reads as zeros.
    fn write(&mut self, node: NodeId, offset: u64, bytes: &[u8]) -> Result<(), FsError>;

    /// Cuts a file to `size` bytes, or extends it with zeros.
    fn resize(&mut self, node: NodeId, size: u64) -> Result<(), FsError>;

    /// Kind and size of a node.
    fn metadata(&self, node: NodeId) -> Result<Metadata, FsError>;

    /// The names in a directory, sorted.
    fn list(&self, directory: NodeId) -> Result<Vec<Entry>, FsError>;

    /// How full it is.
    fn usage(&self) -> Usage;

    /// Whether its structure is whole: asked for after a task ended in the midst of an operation.
    fn check(&self) -> Result<(), Damage>;
}

#[cfg(test)]
mod tests;
