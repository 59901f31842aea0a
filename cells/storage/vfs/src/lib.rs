//! The kernel's one tree of files, and open files as values.
//!
//! To applications and the shell: paths and [`File`]s from any task. One lock covers the tree for the length of one
//! operation; no operation waits for anything else. A task that ends inside an operation poisons the lock: the next
//! one checks the structure first, and refuses with [`FsError::Damaged`] only if it is not whole.
//! An open file is closed when its value is dropped, so a task that ends leaves none behind.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::mem::ManuallyDrop;
pub use file_system::absolute;
pub use file_system::{Entry, FsError, Kind, Metadata, OpenOptions, Usage};
use file_system::{FileSystem, Handle, Mounts};
use mutex::Mutex;
use task_core::Current;

static TREE: Mutex<Mounts> = Mutex::new(Mounts::new());

/// Runs one operation on the tree.
fn with<T>(operation: impl FnOnce(&mut Mounts) -> Result<T, FsError>) -> Result<T, FsError> {
    let mut tree = match TREE.lock() {
        Ok(tree) => tree,
        Err(poisoned) => {
            let tree = poisoned.into_inner();
            tree.check().map_err(FsError::Damaged)?;
            log::warn!("a task ended within a file operation; the tree is whole");
            TREE.clear_poison();
            tree
        }
    };
    operation(&mut tree)
}

/// Hangs a file system into the tree; it stays for good, and so does the code of the task that hangs it there. A task that
/// ends in the midst of this keeps its code loaded, too: the tree may have the file system by then.
///
/// # Errors
/// [`FsError::Mounted`], [`FsError::NoMemory`], [`FsError::InvalidName`].
pub fn mount(at: &str, file_system: Box<dyn FileSystem>) -> Result<(), FsError> {
    let origin = ManuallyDrop::new(task_core::current().and_then(Current::origin));
    with(|tree| tree.mount(at, file_system)).inspect_err(|_| drop(ManuallyDrop::into_inner(origin)))
}

/// Runs one operation on the tree that is about a path.
fn at<T>(path: &str, operation: impl FnOnce(&mut Mounts) -> Result<T, FsError>) -> Result<T, FsError> {
    if path.is_empty() { Err(FsError::EmptyPath) } else { with(operation) }
}

/// Kind and size of the node at `path`.
pub fn metadata(path: &str) -> Result<Metadata, FsError> {
    at(path, |tree| tree.metadata(path))
}

/// The names in a directory, sorted.
pub fn list(path: &str) -> Result<Vec<Entry>, FsError> {
    at(path, |tree| tree.list(path))
}

/// Makes a directory.
pub fn create_directory(path: &str) -> Result<(), FsError> {
    at(path, |tree| tree.create_directory(path))
}

/// Removes a file or an empty directory.
pub fn remove(path: &str) -> Result<(), FsError> {
    at(path, |tree| tree.remove(path))
}

/// Moves a file or directory to another path. A file that is there is replaced.
///
/// # Errors
/// [`FsError::Exists`] if a directory is in the way, [`FsError::IntoItself`], [`FsError::OtherFileSystem`].
pub fn rename(from: &str, to: &str) -> Result<(), FsError> {
    if from.is_empty() || to.is_empty() {
        return Err(FsError::EmptyPath);
    }
    with(|tree| tree.rename(from, to))
}

/// The place of each mounted file system, and how full it is.
pub fn usage() -> Result<Vec<(String, Usage)>, FsError> {
    with(|tree| Ok(tree.usage().map(|(at, usage)| (String::from(at), usage)).collect()))
}

/// A refusal with the path it is about, for the user.
pub struct About {
    path: String,
    error: FsError,
}

impl About {
    /// Puts the two together.
    pub fn new(path: &str, error: FsError) -> Self {
        Self { path: String::from(path), error }
    }
}

impl fmt::Display for About {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error {
            FsError::EmptyPath => write!(formatter, "{}", self.error),
            error => write!(formatter, "{}: {error}", self.path),
        }
    }
}

/// An open file with a position that reading and writing move.
pub struct File {
    handle: Handle,
    position: u64,
}

impl File {
    /// Opens a file that exists.
    pub fn open(path: &str) -> Result<Self, FsError> {
        Self::with_options(path, OpenOptions::default())
    }

    /// Opens a file to be written anew; makes it if it is not there.
    pub fn create(path: &str) -> Result<Self, FsError> {
        Self::with_options(path, OpenOptions { create: true, truncate: true, ..OpenOptions::default() })
    }

    /// Opens a file to be written on at its end; makes it if it is not there.
    pub fn append(path: &str) -> Result<Self, FsError> {
        let mut file = Self::with_options(path, OpenOptions { create: true, ..OpenOptions::default() })?;
        file.position = file.size()?;
        Ok(file)
    }

    /// Opens a file as `options` say, at its beginning.
    pub fn with_options(path: &str, options: OpenOptions) -> Result<Self, FsError> {
        at(path, |tree| tree.open(path, options)).map(|handle| Self { handle, position: 0 })
    }

    /// Reads at the position; 0 at the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, FsError> {
        let count = with(|tree| tree.read(&self.handle, self.position, buffer))?;
        self.position += count as u64;
        Ok(count)
    }

    /// Writes all of `bytes` at the position.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FsError> {
        with(|tree| tree.write(&self.handle, self.position, bytes))?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Empties the file and goes to its beginning.
    pub fn truncate(&mut self) -> Result<(), FsError> {
        with(|tree| tree.resize(&self.handle, 0))?;
        self.position = 0;
        Ok(())
    }

    /// Whether both are the same file, opened twice.
    pub fn is_same(&self, other: &Self) -> bool {
        self.handle == other.handle
    }

    /// Bytes in the file.
    pub fn size(&self) -> Result<u64, FsError> {
        with(|tree| tree.size(&self.handle))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Err(error) = with(|tree| tree.close(&self.handle)) {
            log::warn!("closing a file: {error}");
        }
    }
}
