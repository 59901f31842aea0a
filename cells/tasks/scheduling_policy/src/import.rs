//! How the tasks of another policy are taken over.

use alloc::vec::Vec;

use policy_interface::{ImportError, MAX_CPUS, PolicyEntry, check};

use crate::{Policy, length};

/// All entries, or none of them.
pub(crate) fn import_state(policy: &Policy, entries: Vec<PolicyEntry>) -> Result<(), (ImportError, Vec<PolicyEntry>)> {
    let queued = (0..MAX_CPUS).map(length).sum();
    if let Err(error) = check(&entries, queued) {
        return Err((error, entries));
    }
    for entry in &entries {
        policy.insert(entry.cpu as usize, entry);
    }
    Ok(())
}
