//! The running task.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use cpu_local::{CpuId, CpuSet};
use fault_context::Name;
use policy_interface::{PolicyEntry, Slot};

use crate::id::TaskId;
use crate::origin::Origin;
use crate::reference::TaskRef;
use crate::table;
use crate::task::Task;

/// The running task, as it sees itself.
///
/// A task keeps this as long as it runs, and cannot give it to another task. The record is shown inside a closure only, so
/// that no reference to it lasts longer than the task. Other tasks get a [`TaskRef`] ([`share`](Self::share)).
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

    /// The CPU that it runs on. The next instruction may run on another one, unless preemption is off.
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

    /// Whether it is the task that its CPU runs when there is nothing to do.
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

    /// What its code is part of. The code stays as long as this is kept.
    pub fn origin(self) -> Option<Origin> {
        // SAFETY: this is the running task.
        unsafe { self.task.body.origin() }
    }

    /// Notes a value that is dropped when the task ends. Values noted later are dropped first.
    ///
    /// # Safety
    /// `value` stays valid until the task's end, and `drop` is right for it. The caller is not an interrupt handler.
    pub unsafe fn at_end(self, value: *mut (), drop: unsafe fn(*mut ())) {
        // SAFETY: this is the running task; the caller vouches for value and function.
        unsafe { self.task.body.note_destructor((value, drop)) };
    }

    /// Whether it has been told to end, and can do so here.
    #[inline]
    pub fn is_to_end(self) -> bool {
        self.task.faults.is_to_end()
    }

    /// Shows the record to `look`, which cannot keep it.
    #[inline(always)]
    pub fn with_record<R>(self, look: impl FnOnce(&Task) -> R) -> R {
        look(self.task)
    }

    /// A reference for other tasks.
    pub fn share(self) -> TaskRef {
        // SAFETY: the running task is in the table until it has ended and its CPU has left it.
        unsafe { table::share(self.task.slot()) }
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.fmt(f)
    }
}

/// The running task, or `None` while a CPU boots.
#[inline]
pub fn current() -> Option<Current> {
    let task = cpu_local::current_task().cast::<Task>();
    // SAFETY: the scheduler sets this word to the record of the task that runs. The record stays while its task runs, and a
    // `Current` does not leave its task.
    unsafe { task.as_ref() }.map(|task| Current { task, own: PhantomData })
}

/// Notes that the running task waits for no lock (any more).
#[inline]
pub fn give_up_waiting() {
    if let Some(current) = current()
        && current.waits_for().is_some()
    {
        current.set_waits_for(None);
    }
}

/// The number of the running task, or `None` while a CPU boots.
pub fn current_id() -> Option<TaskId> {
    current().map(Current::id)
}
