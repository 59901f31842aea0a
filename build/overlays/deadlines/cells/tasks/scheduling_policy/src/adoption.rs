//! Refused: A policy by deadlines, which the tasks of another policy lack: `adopt` gives them back.

use alloc::vec::Vec;

use policy_interface::{AdoptError, PolicyEntry};

use crate::Policy;

/// None of the entries.
pub(crate) fn adopt(_: &Policy, entries: Vec<PolicyEntry>) -> Result<(), (AdoptError, Vec<PolicyEntry>)> {
    Err((AdoptError::Insufficient, entries))
}
