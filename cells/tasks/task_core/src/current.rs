//! The running task.

use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use cpu_local::{CpuId, CpuSet};
use fault_context::Name;
use policy_interface::{PolicyEntry, Slot};

use crate::id::TaskId;
use crate::machinery::Machinery;
use crate::origin::Origin;
use crate::reference::TaskRef;
use crate::task::Task;

/// The running task, as it sees itself.
///
/// It may be kept for as long as the task runs, and cannot be given to another task. It lends no reference to the record,
/// which others could keep for longer: they are given a [`TaskRef`] ([`share`](Self::share)).
#[derive(Clone, Copy)]
pub struct Current {
    task: &'static Task,
    own: PhantomData<*const ()>,
}

impl Current {
    /// Its number.
    #[inline]
    pub fn id(self) -> TaskId {
        self.task.id()
    }

    /// Its place in tables indexed by task.
    #[inline]
    pub fn slot(self) -> Slot {
        self.task.slot()
    }

    /// Its name.
    pub fn name(self) -> Name {
        self.task.name()
    }

    /// The CPU that it runs on; the next instruction may be executed by another.
    #[inline]
    pub fn cpu(self) -> CpuId {
        self.task.cpu()
    }

    /// The CPUs that it may run on.
    pub fn affinity(self) -> CpuSet {
        self.task.affinity()
    }

    /// What the scheduling policy is told about it.
    #[inline]
    pub fn policy_entry(self, cpu: CpuId) -> PolicyEntry {
        self.task.policy_entry(cpu)
    }

    /// Whether it is what its CPU runs when there is nothing to do.
    #[inline]
    pub fn is_idle(self) -> bool {
        self.task.is_idle()
    }

    /// The holder of the lock that it has said that it waits for.
    #[inline]
    pub fn waits_for(self) -> Option<TaskId> {
        self.task.waits_for()
    }

    /// Notes the holder of the lock that it is about to wait for; `None` afterwards.
    pub fn set_waits_for(self, holder: Option<TaskId>) {
        self.task.faults.waits_for.store(holder.map_or(0, TaskId::number), Ordering::Release);
    }

    /// What its code is part of: whoever keeps this keeps the code.
    pub fn origin(self) -> Option<Origin> {
        // SAFETY: set before the task ran and taken after it has ended.
        unsafe { (*self.task.origin.get()).clone() }
    }

    /// Notes what is to be dropped when it ends; later ones are dropped first.
    ///
    /// # Safety
    /// `value` stays valid until the task's end, and `drop` is right for it.
    pub unsafe fn at_end(self, value: *mut (), drop: unsafe fn(*mut ())) {
        // SAFETY: the task itself is the only user of the list, and the reference ends here.
        unsafe { (*self.task.destructors.get()).push((value, drop)) };
    }

    /// The record, for as long as the running task runs: for the machinery.
    #[inline]
    pub fn record(self, _right: Machinery) -> &'static Task {
        self.task
    }

    /// A reference that can be given away.
    pub fn share(self) -> TaskRef {
        let task: *const Task = self.task;
        // SAFETY: every task's record is in an `Arc`, of which the table keeps one reference while the task runs.
        TaskRef::new(unsafe {
            Arc::increment_strong_count(task);
            Arc::from_raw(task)
        })
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.fmt(f)
    }
}

/// The running task; none while a CPU boots.
#[inline]
pub fn current() -> Option<Current> {
    let task = cpu_local::current_task().cast::<Task>();
    // SAFETY: the scheduler sets this word to the record of the task that runs, which stays while it runs.
    unsafe { task.as_ref() }.map(|task| Current { task, own: PhantomData })
}

/// Notes that the running task waits for no lock, or not any more.
#[inline]
pub fn give_up_waiting() {
    if let Some(current) = current()
        && current.waits_for().is_some()
    {
        current.set_waits_for(None);
    }
}

/// The running task's number.
pub fn current_id() -> Option<TaskId> {
    current().map(Current::id)
}
