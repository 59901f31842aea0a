//! Power over tasks that are not one's own: what a shell's `kill` needs.
//!
//! The right to end a task comes from whoever made it ([`task::Joinable::kill_capability`]). This cell gives it for any
//! task by number; so *depending on this cell* is the authority, and the manifest shows who has it.
//!
//! Fails with [`KillRefused`] for tasks that do not exist (any more), and for those that nobody may end.
#![no_std]

use core::fmt;

use task::{Immortal, KillCapability, TaskId};
use task_core::Machinery;

// SAFETY: this cell only ends tasks, in the way that every holder of a capability may.
const RIGHT: Machinery = unsafe { Machinery::new() };

/// Why there is no right to end a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KillRefused {
    /// There is no such task (any more).
    NoTask(TaskId),
    /// The system cannot do without it.
    Immortal(Immortal),
}

impl fmt::Display for KillRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTask(task) => write!(f, "there is no task {task} any more"),
            Self::Immortal(immortal) => immortal.fmt(f),
        }
    }
}

impl core::error::Error for KillRefused {}

/// The right to end the task with this number.
pub fn kill_capability(id: TaskId) -> Result<KillCapability, KillRefused> {
    let task = task_core::find(id).ok_or(KillRefused::NoTask(id))?;
    KillCapability::of(RIGHT, &task).map_err(KillRefused::Immortal)
}
