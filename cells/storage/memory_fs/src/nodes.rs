//! The table of nodes.
use alloc::string::String;
use alloc::vec::Vec;
use file_system::{FsError, Kind, Metadata, NodeId};
use hashbrown::HashMap;

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

/// Room for a node, until the table is changed next.
pub(crate) struct Vacancy(());

/// All nodes, by number. Making and freeing one takes constant time.
pub(crate) struct Nodes {
    nodes: HashMap<u64, Node>,
    next: u64,
}

/// Room that is not worth giving back.
const SMALL: usize = 64;

impl Nodes {
    pub(crate) fn new() -> Self {
        Self { nodes: HashMap::new(), next: 0 }
    }

    /// Makes room for a node.
    pub(crate) fn reserve(&mut self) -> Result<Vacancy, FsError> {
        self.nodes.try_reserve(1).map_err(|_| FsError::NoMemory)?;
        Ok(Vacancy(()))
    }

    /// Puts a node where [`reserve`](Self::reserve) has just made room.
    pub(crate) fn insert(&mut self, _room: Vacancy, node: Node) -> NodeId {
        let number = self.next;
        self.next += 1;
        self.nodes.insert(number, node);
        NodeId(number)
    }

    pub(crate) fn get(&self, NodeId(number): NodeId) -> Result<&Node, FsError> {
        self.nodes.get(&number).ok_or(FsError::Stale)
    }

    pub(crate) fn get_mut(&mut self, NodeId(number): NodeId) -> Result<&mut Node, FsError> {
        self.nodes.get_mut(&number).ok_or(FsError::Stale)
    }

    pub(crate) fn remove(&mut self, NodeId(number): NodeId) -> Option<Node> {
        let node = self.nodes.remove(&number)?;
        self.shrink();
        Some(node)
    }

    /// Gives room back that many nodes have left. If there is no memory for the smaller table, the larger one stays.
    fn shrink(&mut self) {
        if self.nodes.capacity() <= SMALL || self.nodes.len() >= self.nodes.capacity() / 8 {
            return;
        }
        let mut smaller = HashMap::new();
        if smaller.try_reserve(2 * self.nodes.len()).is_ok() {
            smaller.extend(self.nodes.drain());
            self.nodes = smaller;
        }
    }

    /// All nodes with their identities.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().map(|(&number, node)| (NodeId(number), node))
    }

    /// For how many nodes there is room.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.nodes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_goes_with_the_nodes_that_had_it_and_numbers_are_not_used_again() {
        let mut nodes = Nodes::new();
        let make = |nodes: &mut Nodes| {
            let room = nodes.reserve().unwrap();
            nodes.insert(room, Node::new(Kind::File, 1))
        };
        let first = make(&mut nodes);
        let others: Vec<NodeId> = (0..1000).map(|_| make(&mut nodes)).collect();
        for &other in &others {
            assert!(nodes.remove(other).is_some() && nodes.remove(other).is_none());
            assert!(nodes.get(first).is_ok());
        }
        assert!(nodes.room() <= 2 * SMALL, "{}", nodes.room());
        let another = make(&mut nodes);
        assert!(others.iter().all(|&other| other != another && nodes.get(other).is_err()));
        assert_eq!(nodes.iter().count(), 2);
    }
}
