//! Power over all tasks, for the shell's `kill`.
//!
//! The maker of a task has the right to end it ([`task::Joinable::kill_capability`]). This cell gives the right for every task
//! by its number. So a *dependency on this cell* is the authority, and the manifest shows which cells have it.
//!
//! Fails with [`KillRefused`] for a task that does not exist (any more), and for one that cannot be ended.
#![no_std]

use core::fmt;

use task::{Immortal, KillCapability, TaskId};
use task_core::KillCap;

// SAFETY: this cell is there to give the right to end any task to the cells that depend on it.
const KILL: KillCap = unsafe { KillCap::new() };

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
///
/// # Errors
/// There is no such task (any more), or it cannot be ended.
pub fn kill_capability(id: TaskId) -> Result<KillCapability, KillRefused> {
    let task = task_core::find(id).ok_or(KillRefused::NoTask(id))?;
    KillCapability::of(KILL, &task).map_err(KillRefused::Immortal)
}
