//! Whom Ctrl-C ends.
use alloc::vec::Vec;
use spin_lock::PreemptLock;
use task::KillCapability;

/// The tasks of the job that the user waits for.
static TASKS: PreemptLock<Vec<KillCapability>> = PreemptLock::new(Vec::new());

/// While this lives, Ctrl-C ends these tasks instead of reaching a reader.
#[must_use]
pub struct Foreground(());

impl Foreground {
    /// Puts a job's tasks into the foreground, in place of those that were.
    pub fn new(tasks: Vec<KillCapability>) -> Self {
        let before = core::mem::replace(&mut *TASKS.lock(), tasks);
        // Dropped outside the lock.
        drop(before);
        Self(())
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let tasks = core::mem::take(&mut *TASKS.lock());
        drop(tasks);
    }
}

/// Whether somebody is to be told of Ctrl-C.
pub(crate) fn is_occupied() -> bool {
    !TASKS.lock().is_empty()
}

/// Ends them. They stay listed until the shell has joined them: a second Ctrl-C may hasten a slow one.
pub(crate) fn interrupt() {
    // Ending a task may take locks of its own, so this one is given back first.
    let tasks = TASKS.lock().clone();
    for task in tasks {
        task.kill();
    }
}
