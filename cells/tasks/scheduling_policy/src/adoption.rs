//! How the tasks of another policy are taken over.

use alloc::vec::Vec;

use policy_interface::{AdoptError, MAX_CPUS, PolicyEntry, check};

use crate::{Policy, length};

/// All entries, or none of them.
pub(crate) fn adopt(policy: &Policy, entries: Vec<PolicyEntry>) -> Result<(), (AdoptError, Vec<PolicyEntry>)> {
    let queued = (0..MAX_CPUS).map(length).sum();
    if let Err(error) = check(&entries, queued) {
        return Err((error, entries));
    }
    for entry in &entries {
        policy.insert(entry.cpu as usize, entry);
    }
    Ok(())
}
