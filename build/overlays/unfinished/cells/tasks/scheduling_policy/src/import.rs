//! Refused: A policy that nobody has finished: its `import_state` panics when it has taken half of the tasks.

use alloc::vec::Vec;

use policy_interface::{ImportError, PolicyEntry};

use crate::Policy;

/// Half of the entries.
pub(crate) fn import_state(policy: &Policy, entries: Vec<PolicyEntry>) -> Result<(), (ImportError, Vec<PolicyEntry>)> {
    let half = entries.len() / 2;
    for entry in entries.iter().take(half) {
        policy.insert(entry.cpu as usize, entry);
    }
    panic!("{} tasks are taken, and nobody has written what takes the other {}", half, entries.len() - half)
}
