//! Refused: A policy by deadlines, which the tasks of another policy lack: `import_state` gives them back.

use alloc::vec::Vec;

use policy_interface::{ImportError, PolicyEntry};

use crate::Policy;

/// None of the entries.
pub(crate) fn import_state(_: &Policy, entries: Vec<PolicyEntry>) -> Result<(), (ImportError, Vec<PolicyEntry>)> {
    Err((ImportError::Insufficient, entries))
}
