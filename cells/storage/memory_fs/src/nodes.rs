//! The table of nodes.
use alloc::string::String;
use alloc::vec::Vec;
use file_system::{FsError, Kind, Metadata, NodeId};

pub(crate) struct DirectoryEntry {
    pub(crate) name: String,
    pub(crate) node: NodeId,
}

pub(crate) enum Content {
    File(Vec<u8>),
    /// Sorted by name.
    Directory(Vec<DirectoryEntry>),
}

pub(crate) struct Node {
    pub(crate) content: Content,
    /// How many have it open.
    pub(crate) opens: u32,
    /// Whether a directory names it; the root counts as named.
    pub(crate) named: bool,
}

impl Node {
    pub(crate) const fn new(kind: Kind, opens: u32) -> Self {
        let content = match kind {
            Kind::File => Content::File(Vec::new()),
            Kind::Directory => Content::Directory(Vec::new()),
        };
        Self { content, opens, named: true }
    }

    pub(crate) const fn metadata(&self) -> Metadata {
        match &self.content {
            Content::File(bytes) => Metadata { kind: Kind::File, size: bytes.len() as u64 },
            Content::Directory(entries) => Metadata { kind: Kind::Directory, size: entries.len() as u64 },
        }
    }
}

struct Slot {
    generation: u32,
    node: Option<Node>,
}

/// A slot that is free until the table is changed next.
pub(crate) struct Vacancy(u32);

/// Slots, of which the free ones are listed, so that making and freeing a node take constant time.
pub(crate) struct Nodes {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Nodes {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// Finds a free slot, and makes sure that no later removal needs memory.
    pub(crate) fn reserve(&mut self) -> Result<Vacancy, FsError> {
        if let Some(&index) = self.free.last() {
            return Ok(Vacancy(index));
        }
        let index = u32::try_from(self.slots.len()).map_err(|_| FsError::NoSpace)?;
        self.slots.try_reserve(1).map_err(|_| FsError::NoMemory)?;
        // Room for all slots, as all may be free one day.
        self.free.try_reserve(self.slots.len() + 1).map_err(|_| FsError::NoMemory)?;
        self.slots.push(Slot { generation: 0, node: None });
        self.free.push(index);
        Ok(Vacancy(index))
    }

    /// Puts a node into the slot that [`reserve`](Self::reserve) has just found.
    pub(crate) fn insert(&mut self, Vacancy(index): Vacancy, node: Node) -> NodeId {
        self.free.pop_if(|free| *free == index);
        let slot = self.slots.get_mut(index as usize);
        let generation = slot.map_or(0, |slot| {
            slot.node = Some(node);
            slot.generation
        });
        NodeId { index, generation }
    }

    pub(crate) fn get(&self, id: NodeId) -> Result<&Node, FsError> {
        let slot = self.slots.get(id.index as usize).filter(|slot| slot.generation == id.generation);
        slot.and_then(|slot| slot.node.as_ref()).ok_or(FsError::Stale)
    }

    pub(crate) fn get_mut(&mut self, id: NodeId) -> Result<&mut Node, FsError> {
        let slot = self.slots.get_mut(id.index as usize).filter(|slot| slot.generation == id.generation);
        slot.and_then(|slot| slot.node.as_mut()).ok_or(FsError::Stale)
    }

    pub(crate) fn remove(&mut self, id: NodeId) -> Option<Node> {
        let slot = self.slots.get_mut(id.index as usize).filter(|slot| slot.generation == id.generation)?;
        let node = slot.node.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index);
        Some(node)
    }

    /// All nodes with their identities.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0_u32..).zip(&self.slots).filter_map(|(index, slot)| {
            slot.node.as_ref().map(|node| (NodeId { index, generation: slot.generation }, node))
        })
    }
}
