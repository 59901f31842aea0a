//! Looking at a task.

use alloc::sync::Arc;
use core::fmt;

use cpu_local::{CpuId, CpuSet};
use fault_context::Name;
use policy_interface::Priority;

use crate::ended::Ended;
use crate::id::TaskId;
use crate::role::Role;
use crate::state::State;
use crate::task::Task;

/// The right to look at a task.
#[derive(Clone)]
pub struct TaskRef(Arc<Task>);

impl TaskRef {
    /// The right to look at `task`.
    pub fn new(task: Arc<Task>) -> Self {
        Self(task)
    }

    /// Its number.
    pub fn id(&self) -> TaskId {
        self.0.id()
    }

    /// Its name.
    pub fn name(&self) -> Name {
        self.0.name()
    }

    /// What it is doing now.
    pub fn state(&self) -> State {
        self.0.state()
    }

    /// The CPU that it runs on, or ran on last.
    pub fn cpu(&self) -> CpuId {
        self.0.cpu()
    }

    /// The CPUs that it may run on.
    pub fn affinity(&self) -> CpuSet {
        self.0.affinity()
    }

    /// The priority that it was given.
    pub fn priority(&self) -> Priority {
        self.0.priority()
    }

    /// The priority that it inherits from the tasks that wait for it.
    pub fn inherited_priority(&self) -> Priority {
        self.0.policy_entry(CpuId::BOOT).inherited()
    }

    /// Timer ticks during which it ran.
    pub fn ticks(&self) -> u64 {
        self.0.ticks()
    }

    /// How many times it got a CPU.
    pub fn switches(&self) -> u64 {
        self.0.switches()
    }

    /// Bytes of the heap that it took and that are not freed yet.
    pub fn heap_bytes(&self) -> u64 {
        self.0.heap_bytes()
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<Result<(), Ended>> {
        self.0.ended()
    }

    /// Whether it is the task that a CPU runs when there is nothing to do.
    pub fn is_idle(&self) -> bool {
        self.0.is_idle()
    }

    /// What it is for, and so whether it can be ended.
    pub fn role(&self) -> Role {
        self.0.role()
    }

    /// The holder of the lock that it waits for.
    pub fn waits_for(&self) -> Option<TaskId> {
        self.0.waits_for()
    }

    /// The record. Without a right it only shows things.
    pub fn record(&self) -> &Task {
        &self.0
    }

    /// The record, for a holder that keeps it.
    pub fn into_record(self) -> Arc<Task> {
        self.0
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
