//! Ending tasks.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use task_core::{KillRequest, Name, Role, Task, TaskId, TaskRef, Wake};

use crate::{RIGHT, reaper};

/// How long a task has to come to a cancellation point. Everything that waits is one, so only a task that computes
/// for this long is ended between two instructions. Under emulation a busy host may leave a CPU alone for half a second.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(1);

/// Nobody may end this task.
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

    /// The right to end the task that `task` refers to, for the machinery. Nobody may end tasks that the system cannot do
    /// without.
    pub fn of(_right: task_core::Machinery, task: &TaskRef) -> Result<Self, Immortal> {
        match task.role() {
            Role::Ordinary => Ok(Self::new(Arc::clone(task.task(RIGHT)))),
            role => Err(Immortal { task: task.id(), name: task.name(), role }),
        }
    }

    /// Has the task end: unwound at its next cancellation point, which a blocked task comes to at once; after
    /// [`DEFAULT_GRACE`] between two instructions: where it can have changed nothing of its callers', or, if it is not found there
    /// within half a second of its own, anywhere, and then nothing of it is dropped. Returns without waiting; `false` if the task has ended already.
    pub fn kill(&self) -> bool {
        self.kill_within(DEFAULT_GRACE)
    }

    /// As [`kill`](Self::kill), with a grace period of the caller's.
    pub fn kill_within(&self, grace: Duration) -> bool {
        if self.task.ended().is_some() {
            return false;
        }
        self.task.faults(RIGHT).request_kill(KillRequest::AtCancellationPoint);
        scheduler::make_ready(RIGHT, &self.task, Wake::Killed);
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

/// The grace period is over: ends the task at a tick.
pub(crate) fn escalate(task: &TaskRef) {
    if task.ended().is_some() {
        return;
    }
    let task = task.task(RIGHT);
    task.set_grace_end(RIGHT, None);
    task.faults(RIGHT).request_kill(KillRequest::Anywhere);
    if !scheduler::make_ready(RIGHT, task, Wake::Killed) {
        scheduler::interrupt(RIGHT, task);
    }
}
