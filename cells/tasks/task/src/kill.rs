//! Ending tasks.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use task_core::{KillCap, KillRequest, Name, Role, Task, TaskId, TaskRef, Wake};

use crate::reaper;
use crate::rights::{FAULT, WAKE};

/// How long a task has to come to a cancellation point. Everything that waits is one, so only a task that computes
/// for this long is ended between two instructions. Under emulation a busy host may leave a CPU alone for half a second.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(1);

/// This task cannot be ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Immortal {
    /// Its number.
    pub task: TaskId,
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub role: Role,
}

impl fmt::Display for Immortal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.role {
            Role::Idle => "is what a CPU runs when there is nothing to do",
            Role::Essential | Role::Ordinary => "keeps the system going",
        };
        write!(f, "task {} '{}' {why}; it cannot be ended", self.task, self.name)
    }
}

impl core::error::Error for Immortal {}

/// The right to end a task.
#[derive(Clone)]
pub struct KillCapability {
    task: Arc<Task>,
}

impl KillCapability {
    pub(crate) fn new(task: Arc<Task>) -> Self {
        Self { task }
    }

    /// The right to end the task that `task` refers to.
    ///
    /// # Errors
    /// [`Immortal`], for a task that the system cannot do without.
    pub fn of(_right: KillCap, task: &TaskRef) -> Result<Self, Immortal> {
        match task.role() {
            Role::Ordinary => Ok(Self::new(task.clone().into_record())),
            role => Err(Immortal { task: task.id(), name: task.name(), role }),
        }
    }

    /// Orders the task to end, and returns without waiting; `false` if the task has ended already.
    ///
    /// The task is unwound at its next cancellation point. A blocked task comes to one at once. A task that computes is ended
    /// between two instructions when [`DEFAULT_GRACE`] is over: at a place where it can have changed nothing of its callers',
    /// or, if it is not found at such a place for half a second, at any place, and then nothing of it is dropped.
    pub fn kill(&self) -> bool {
        self.kill_within(DEFAULT_GRACE)
    }

    /// As [`kill`](Self::kill), with a grace period of the caller's.
    pub fn kill_within(&self, grace: Duration) -> bool {
        if self.task.ended().is_some() {
            return false;
        }
        self.task.faults(FAULT).request_kill(KillRequest::AtCancellationPoint);
        scheduler::make_ready(WAKE, &self.task, Wake::Killed);
        reaper::watch(&self.task, grace);
        true
    }

    /// The task's number.
    pub fn id(&self) -> TaskId {
        self.task.id()
    }

    /// The right to look at the task.
    pub fn observe(&self) -> TaskRef {
        TaskRef::new(Arc::clone(&self.task))
    }
}

impl fmt::Debug for KillCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KillCapability({:?})", self.task)
    }
}
