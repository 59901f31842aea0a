//! A file system in the kernel's heap.
//!
//! To `vfs`: the promises of [`FileSystem`], with contents that last until the machine stops and never exceed
//! the capacity given to [`MemoryFs::new`]. Every allocation is asked for before anything is changed, so a full
//! heap is [`FsError::NoMemory`] and leaves the tree as it was.
//!
//! A file is one vector and a directory a sorted one: the quickest form for the many small files a memory file
//! system holds, and for none of them does memory have to be found in the midst of a change.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod check;
mod nodes;

use alloc::string::String;
use alloc::vec::Vec;
use file_system::{Damage, Entry, FileSystem, FsError, Kind, Metadata, NodeId, Usage};
use nodes::{Content, DirectoryEntry, Node, Nodes};

/// The file system.
pub struct MemoryFs {
    nodes: Nodes,
    root: NodeId,
    used: u64,
    capacity: u64,
}

impl MemoryFs {
    /// An empty file system for at most `capacity` bytes of file contents.
    pub fn new(capacity: u64) -> Result<Self, FsError> {
        let mut nodes = Nodes::new();
        let vacancy = nodes.reserve()?;
        let root = nodes.insert(vacancy, Node::new(Kind::Directory, 0));
        Ok(Self { nodes, root, used: 0, capacity })
    }

    fn file(&self, node: NodeId) -> Result<&Vec<u8>, FsError> {
        match &self.nodes.get(node)?.content {
            Content::File(bytes) => Ok(bytes),
            Content::Directory(_) => Err(FsError::IsADirectory),
        }
    }

    fn directory(&self, node: NodeId) -> Result<&Vec<DirectoryEntry>, FsError> {
        match &self.nodes.get(node)?.content {
            Content::Directory(entries) => Ok(entries),
            Content::File(_) => Err(FsError::NotADirectory),
        }
    }

    fn directory_mut(&mut self, node: NodeId) -> Result<&mut Vec<DirectoryEntry>, FsError> {
        match &mut self.nodes.get_mut(node)?.content {
            Content::Directory(entries) => Ok(entries),
            Content::File(_) => Err(FsError::NotADirectory),
        }
    }

    /// Makes room for a file to grow to `size` bytes and accounts for it; shorter files stay as they are.
    fn grow(&mut self, node: NodeId, size: usize) -> Result<&mut Vec<u8>, FsError> {
        let (used, capacity) = (self.used, self.capacity);
        let Content::File(bytes) = &mut self.nodes.get_mut(node)?.content else {
            return Err(FsError::IsADirectory);
        };
        let addition = size.saturating_sub(bytes.len());
        let new_used = used.checked_add(addition as u64).ok_or(FsError::TooLarge)?;
        if new_used > capacity {
            return Err(FsError::NoSpace);
        }
        bytes.try_reserve(addition).map_err(|_| FsError::NoMemory)?;
        self.used = new_used;
        Ok(bytes)
    }

    /// Whether a directory is the node `above` or lies below it. A tree may be deeper than a stack, so this is a loop.
    fn is_in(&self, directory: NodeId, above: NodeId) -> Result<bool, FsError> {
        let mut next = Some(above);
        let mut open = Vec::new();
        while let Some(node) = next {
            if node == directory {
                return Ok(true);
            }
            if let Content::Directory(entries) = &self.nodes.get(node)?.content {
                open.try_reserve(entries.len()).map_err(|_| FsError::NoMemory)?;
                open.extend(entries.iter().map(|entry| entry.node));
            }
            next = open.pop();
        }
        Ok(false)
    }

    /// Frees a node that has neither a name nor a user.
    fn free(&mut self, node: NodeId) {
        if let Some(Content::File(bytes)) = self.nodes.remove(node).map(|node| node.content) {
            self.used -= bytes.len() as u64;
        }
    }
}

fn position(entries: &[DirectoryEntry], name: &str) -> Result<usize, usize> {
    entries.binary_search_by(|entry| entry.name.as_str().cmp(name))
}

/// The size a file has once it holds `length` bytes at `offset`.
fn end(offset: u64, length: usize) -> Result<(usize, usize), FsError> {
    let start = usize::try_from(offset).map_err(|_| FsError::TooLarge)?;
    let end = start.checked_add(length).ok_or(FsError::TooLarge)?;
    Ok((start, end))
}

impl FileSystem for MemoryFs {
    fn root(&self) -> NodeId {
        self.root
    }

    fn lookup(&self, directory: NodeId, name: &str) -> Result<NodeId, FsError> {
        let entries = self.directory(directory)?;
        let index = position(entries, name).map_err(|_| FsError::NotFound)?;
        entries.get(index).map(|entry| entry.node).ok_or(FsError::NotFound)
    }

    fn create(&mut self, directory: NodeId, name: &str, kind: Kind, open: bool) -> Result<NodeId, FsError> {
        let vacancy = self.nodes.reserve()?;
        let entries = self.directory_mut(directory)?;
        let Err(index) = position(entries, name) else {
            return Err(FsError::Exists);
        };
        entries.try_reserve(1).map_err(|_| FsError::NoMemory)?;
        let mut own_name = String::new();
        own_name.try_reserve_exact(name.len()).map_err(|_| FsError::NoMemory)?;
        own_name.push_str(name);
        // From here on nothing can fail.
        let node = self.nodes.insert(vacancy, Node::new(kind, u32::from(open)));
        self.directory_mut(directory)?.insert(index, DirectoryEntry { name: own_name, node });
        Ok(node)
    }

    fn remove(&mut self, directory: NodeId, name: &str) -> Result<(), FsError> {
        let node = self.lookup(directory, name)?;
        let Node { content, opens, .. } = self.nodes.get(node)?;
        if matches!(content, Content::Directory(entries) if !entries.is_empty()) {
            return Err(FsError::NotEmpty);
        }
        let unused = *opens == 0;
        let entries = self.directory_mut(directory)?;
        if let Ok(index) = position(entries, name) {
            entries.remove(index);
        }
        if unused {
            self.free(node);
        } else {
            self.nodes.get_mut(node)?.named = false;
        }
        Ok(())
    }

    fn rename(&mut self, (from, from_name): (NodeId, &str), (to, to_name): (NodeId, &str)) -> Result<(), FsError> {
        let node = self.lookup(from, from_name)?;
        let replaced = match self.lookup(to, to_name) {
            Ok(same) if same == node => return Ok(()),
            Ok(other) => Some(other),
            Err(FsError::NotFound) => None,
            Err(error) => return Err(error),
        };
        if self.is_in(to, node)? {
            return Err(FsError::IntoItself);
        }
        if let Some(other) = replaced
            && (self.metadata(other)?.kind == Kind::Directory || self.metadata(node)?.kind == Kind::Directory)
        {
            return Err(FsError::Exists);
        }
        let mut name = String::new();
        name.try_reserve_exact(to_name.len()).map_err(|_| FsError::NoMemory)?;
        name.push_str(to_name);
        self.directory_mut(to)?.try_reserve(1).map_err(|_| FsError::NoMemory)?;
        // From here on nothing can fail.
        if replaced.is_some() {
            self.remove(to, to_name)?;
        }
        let entries = self.directory_mut(from)?;
        if let Ok(index) = position(entries, from_name) {
            entries.remove(index);
        }
        let entries = self.directory_mut(to)?;
        if let Err(index) = position(entries, to_name) {
            entries.insert(index, DirectoryEntry { name, node });
        }
        Ok(())
    }

    fn open(&mut self, node: NodeId) -> Result<(), FsError> {
        let node = self.nodes.get_mut(node)?;
        node.opens = node.opens.checked_add(1).ok_or(FsError::TooLarge)?;
        Ok(())
    }

    fn close(&mut self, node: NodeId) -> Result<(), FsError> {
        let entry = self.nodes.get_mut(node)?;
        entry.opens = entry.opens.checked_sub(1).ok_or(FsError::Stale)?;
        if entry.opens == 0 && !entry.named {
            self.free(node);
        }
        Ok(())
    }

    fn read(&self, node: NodeId, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        let bytes = self.file(node)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let source = bytes.get(start..).unwrap_or_default();
        let count = source.len().min(buffer.len());
        if let (Some(into), Some(from)) = (buffer.get_mut(..count), source.get(..count)) {
            into.copy_from_slice(from);
        }
        Ok(count)
    }

    fn write(&mut self, node: NodeId, offset: u64, source: &[u8]) -> Result<(), FsError> {
        let (start, end) = end(offset, source.len())?;
        if source.is_empty() {
            return self.file(node).map(|_| ());
        }
        let bytes = self.grow(node, end)?;
        if bytes.len() < start {
            bytes.resize(start, 0);
        }
        // The bytes that overlap are overwritten, the rest is appended: no byte is written twice.
        let (over, append) = source.split_at(source.len().min(bytes.len() - start));
        if let Some(target) = bytes.get_mut(start..start + over.len()) {
            target.copy_from_slice(over);
        }
        bytes.extend_from_slice(append);
        Ok(())
    }

    fn resize(&mut self, node: NodeId, size: u64) -> Result<(), FsError> {
        let (size, _) = end(size, 0)?;
        let old = self.file(node)?.len();
        let bytes = self.grow(node, size)?;
        bytes.resize(size, 0);
        if size == 0 {
            // Memory goes back now; a file that was only shortened keeps it, as shrinking might need some.
            *bytes = Vec::new();
        }
        self.used -= old.saturating_sub(size) as u64;
        Ok(())
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, FsError> {
        Ok(self.nodes.get(node)?.metadata())
    }

    fn list(&self, directory: NodeId) -> Result<Vec<Entry>, FsError> {
        let entries = self.directory(directory)?;
        let mut list = Vec::new();
        list.try_reserve_exact(entries.len()).map_err(|_| FsError::NoMemory)?;
        for entry in entries {
            list.push(Entry { name: entry.name.clone(), metadata: self.metadata(entry.node)? });
        }
        Ok(list)
    }

    fn usage(&self) -> Usage {
        Usage { used: self.used, capacity: self.capacity }
    }

    fn check(&self) -> Result<(), Damage> {
        check::check(&self.nodes, self.root, self.used)
    }
}

#[cfg(test)]
mod tests;
