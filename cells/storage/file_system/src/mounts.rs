//! Several file systems as one tree.
use crate::{Damage, Entry, FileSystem, FsError, Kind, Metadata, NodeId, Usage};
use crate::{components, path::split_last};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Make it if it is not there.
    pub create: bool,
    /// Refuse if it is there; only with `create`.
    pub exclusive: bool,
    /// Cut it to nothing.
    pub truncate: bool,
}

/// An open file; two are equal if they are the same file. The holder gives it back with [`Mounts::close`].
#[derive(Debug, PartialEq, Eq)]
pub struct Handle {
    mount: usize,
    node: NodeId,
}

struct Mount {
    at: String,
    file_system: Box<dyn FileSystem>,
}

/// A place in the tree: a mount and a node in it.
struct Place<'a> {
    mount: usize,
    node: NodeId,
    file_system: &'a mut dyn FileSystem,
}

/// The tree. Mounts are never taken away, so handles and places can name them by number.
#[derive(Default)]
pub struct Mounts {
    mounts: Vec<Mount>,
}

impl Mounts {
    /// A tree without any file system: nothing is found in it.
    pub const fn new() -> Self {
        Self { mounts: Vec::new() }
    }

    /// Hangs a file system into the tree, `""` or `/` being the root. It covers the directory that is there.
    pub fn mount(&mut self, at: &str, file_system: Box<dyn FileSystem>) -> Result<(), FsError> {
        let mut normal = String::new();
        for name in components(at) {
            let name = name?;
            normal.try_reserve(name.len() + 1).map_err(|_| FsError::NoMemory)?;
            normal.push('/');
            normal.push_str(name);
        }
        if self.mounts.iter().any(|mount| mount.at == normal) {
            return Err(FsError::Mounted);
        }
        self.mounts.try_reserve(1).map_err(|_| FsError::NoMemory)?;
        self.mounts.push(Mount { at: normal, file_system });
        Ok(())
    }

    /// Opens the file at `path`.
    pub fn open(&mut self, path: &str, options: OpenOptions) -> Result<Handle, FsError> {
        let (parent, name) = match split_last(path) {
            Err(FsError::IsRoot) => return Err(FsError::IsADirectory),
            split => split?,
        };
        if self.is_mount(path) {
            return Err(FsError::IsADirectory);
        }
        let Place { mount, node: directory, file_system } = self.walk(parent)?;
        let node = match file_system.lookup(directory, name) {
            Ok(_) if options.create && options.exclusive => return Err(FsError::Exists),
            Ok(node) => {
                if file_system.metadata(node)?.kind == Kind::Directory {
                    return Err(FsError::IsADirectory);
                }
                if options.truncate {
                    file_system.resize(node, 0)?;
                }
                file_system.open(node)?;
                node
            }
            Err(FsError::NotFound) if options.create => file_system.create(directory, name, Kind::File, true)?,
            Err(error) => return Err(error),
        };
        Ok(Handle { mount, node })
    }

    /// Gives an open file back.
    pub fn close(&mut self, handle: &Handle) -> Result<(), FsError> {
        self.of(handle)?.close(handle.node)
    }

    /// Reads from an open file; see [`FileSystem::read`].
    pub fn read(&mut self, handle: &Handle, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        self.of(handle)?.read(handle.node, offset, buffer)
    }

    /// Writes to an open file; see [`FileSystem::write`].
    pub fn write(&mut self, handle: &Handle, offset: u64, bytes: &[u8]) -> Result<(), FsError> {
        self.of(handle)?.write(handle.node, offset, bytes)
    }

    /// Cuts or extends an open file; see [`FileSystem::resize`].
    pub fn resize(&mut self, handle: &Handle, size: u64) -> Result<(), FsError> {
        self.of(handle)?.resize(handle.node, size)
    }

    /// The size of an open file.
    pub fn size(&mut self, handle: &Handle) -> Result<u64, FsError> {
        Ok(self.of(handle)?.metadata(handle.node)?.size)
    }

    /// Kind and size of the node at `path`.
    pub fn metadata(&mut self, path: &str) -> Result<Metadata, FsError> {
        let place = self.walk(path)?;
        place.file_system.metadata(place.node)
    }

    /// The names in the directory at `path`; a mount shows in the listing of the file system it covers only if
    /// there is a directory of its name.
    pub fn list(&mut self, path: &str) -> Result<Vec<Entry>, FsError> {
        let place = self.walk(path)?;
        place.file_system.list(place.node)
    }

    /// Makes a directory.
    pub fn create_directory(&mut self, path: &str) -> Result<(), FsError> {
        let (parent, name) = match split_last(path) {
            Err(FsError::IsRoot) => return Err(FsError::Exists),
            split => split?,
        };
        let place = self.walk(parent)?;
        place.file_system.create(place.node, name, Kind::Directory, false).map(|_| ())
    }

    /// Removes a file, or an empty directory on which nothing is mounted.
    pub fn remove(&mut self, path: &str) -> Result<(), FsError> {
        let (parent, name) = split_last(path)?;
        if self.is_mount(path) {
            return Err(FsError::Mounted);
        }
        let place = self.walk(parent)?;
        place.file_system.remove(place.node, name)
    }

    /// Moves a file or directory to another path in the same file system; see [`FileSystem::rename`].
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), FsError> {
        let ((from_parent, from_name), (to_parent, to_name)) = (split_last(from)?, split_last(to)?);
        if self.is_mount(from) || self.is_mount(to) {
            return Err(FsError::Mounted);
        }
        let Place { mount: from_mount, node: from_directory, .. } = self.walk(from_parent)?;
        let Place { mount, node: to_directory, file_system } = self.walk(to_parent)?;
        if mount != from_mount {
            return Err(FsError::OtherFileSystem);
        }
        file_system.rename((from_directory, from_name), (to_directory, to_name))
    }

    /// The place of each mounted file system, and how full it is.
    pub fn usage(&self) -> impl Iterator<Item = (&str, Usage)> {
        self.mounts.iter().map(|mount| {
            let at = if mount.at.is_empty() { "/" } else { mount.at.as_str() };
            (at, mount.file_system.usage())
        })
    }

    /// Whether all file systems are whole.
    pub fn check(&self) -> Result<(), Damage> {
        self.mounts.iter().try_for_each(|mount| mount.file_system.check())
    }

    fn of(&mut self, handle: &Handle) -> Result<&mut dyn FileSystem, FsError> {
        self.mounts.get_mut(handle.mount).map(|mount| &mut *mount.file_system as _).ok_or(FsError::Stale)
    }

    fn is_mount(&self, path: &str) -> bool {
        self.mounts.iter().any(|mount| covers(&mount.at, path) == Some(""))
    }

    /// Finds the node at `path` in the file system that is mounted nearest to it.
    fn walk(&mut self, path: &str) -> Result<Place<'_>, FsError> {
        let nearest =
            |(index, mount): (usize, &Mount)| covers(&mount.at, path).map(|rest| (mount.at.len(), index, rest));
        let found = self.mounts.iter().enumerate().filter_map(nearest).max_by_key(|(depth, ..)| *depth);
        let (_, mount, rest) = found.ok_or(FsError::NotFound)?;
        let file_system = self.mounts.get_mut(mount).map(|mount| &mut *mount.file_system).ok_or(FsError::NotFound)?;
        let mut node = file_system.root();
        for name in components(rest) {
            node = file_system.lookup(node, name?)?;
        }
        Ok(Place { mount, node, file_system })
    }
}

/// The rest of `path` below the directory `at` (in normal form); `None` if it is not below it.
fn covers<'a>(at: &str, path: &'a str) -> Option<&'a str> {
    let mut rest = path.trim_start_matches('/');
    for name in at.split('/').filter(|name| !name.is_empty()) {
        rest = rest.strip_prefix(name)?;
        if !(rest.is_empty() || rest.starts_with('/')) {
            return None;
        }
        rest = rest.trim_start_matches('/');
    }
    Some(rest)
}
