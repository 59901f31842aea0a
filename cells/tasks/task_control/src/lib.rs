//! Power over tasks that are not one's own: what a shell's `kill` needs.
//!
//! The right to end a task comes from whoever made it ([`task::Joinable::kill_capability`]). This cell gives it for any
//! task by number; so *depending on this cell* is the authority, and the manifest shows who has it.
//!
//! Fails with [`None`] for tasks that do not exist (any more), and for the idle tasks, which cannot end.
#![no_std]

use task::{KillCapability, TaskId};
use task_core::Machinery;

// SAFETY: this cell only ends tasks, in the way that every holder of a capability may.
const RIGHT: Machinery = unsafe { Machinery::new() };

/// The right to end the task with this number.
pub fn kill_capability(id: TaskId) -> Option<KillCapability> {
    KillCapability::of(RIGHT, &task_core::find(id)?)
}
