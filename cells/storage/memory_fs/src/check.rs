//! The invariants of the structure, checked after an interrupted operation and by the tests.
use crate::nodes::{Content, Nodes};
use file_system::{Damage, NodeId};

/// Each name leads to a node; each node but the root has exactly one name, or none and is open; directories are
/// sorted; the sizes add up.
pub(crate) fn check(nodes: &Nodes, root: NodeId, used: u64) -> Result<(), Damage> {
    let mut sum = 0;
    for (id, node) in nodes.iter() {
        match &node.content {
            Content::File(bytes) => sum += bytes.len() as u64,
            Content::Directory(entries) => {
                if !entries.is_sorted_by(|one, other| one.name < other.name) {
                    return Err(Damage::Unsorted(id));
                }
                if let Some(entry) = entries.iter().find(|entry| nodes.get(entry.node).is_err()) {
                    return Err(Damage::Dangling(entry.node));
                }
            }
        }
        match (names(nodes, id), node.named) {
            (0, false) if node.opens > 0 => {}
            (0, true) if id == root => {}
            (1, true) if id != root => {}
            (0 | 1, _) => return Err(Damage::Orphan(id)),
            _ => return Err(Damage::Shared(id)),
        }
    }
    if sum == used { Ok(()) } else { Err(Damage::Accounting) }
}

/// How many directory entries name a node. Quadratic over all, but needs no memory and is asked for rarely.
fn names(nodes: &Nodes, id: NodeId) -> usize {
    let entries = nodes.iter().filter_map(|(_, node)| match &node.content {
        Content::Directory(entries) => Some(entries),
        Content::File(_) => None,
    });
    entries.flatten().filter(|entry| entry.node == id).count()
}
