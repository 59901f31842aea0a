//! Waiting for the end of a task and taking its result.

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::fmt;
use core::mem::ManuallyDrop;

use task_core::{Disposal, Ended, Task, TaskId, TaskRef};

use crate::kill::KillCapability;
use crate::{RIGHT, end_queue, reaper};

/// Where a task puts its result.
pub(crate) struct Packet<T>(UnsafeCell<Option<T>>);

// SAFETY: the task fills the packet before it has ended, and the one joiner empties it after that.
unsafe impl<T: Send> Sync for Packet<T> {}

impl<T> Packet<T> {
    pub(crate) fn new() -> Self {
        Self(UnsafeCell::new(None))
    }

    pub(crate) fn fill(&self, value: T) {
        // SAFETY: only the task does this, once.
        unsafe { *self.0.get() = Some(value) };
    }

    fn empty(&self) -> Option<T> {
        // SAFETY: only the joiner does this, after the task has ended.
        unsafe { (*self.0.get()).take() }
    }
}

/// The right, and the duty, to wait for a task or to let it go: use up with [`join`](Self::join) or
/// [`detach`](Self::detach).
///
/// Ignoring the value that `spawn` returns does not compile. Dropping one that was bound is found at run time: it
/// panics, unless a panic or a kill is what drops it; then the task is let go.
#[must_use = "a task is joined or detached, never just dropped"]
pub struct Joinable<T> {
    task: Arc<Task>,
    packet: Arc<Packet<T>>,
}

impl<T> Joinable<T> {
    pub(crate) fn new(task: Arc<Task>, packet: Arc<Packet<T>>) -> Self {
        Self { task, packet }
    }

    /// Waits until the task has ended; its result, or why there is none. A cancellation point: a task that is ended
    /// while it waits lets the other one go.
    pub fn join(self) -> Result<T, Ended> {
        let ended = wait_queue::wait_for(end_queue(&self.task), || self.task.ended());
        let (task, packet) = self.disarm();
        reaper::dispose(&task);
        ended.and_then(|()| packet.empty().ok_or(Ended::Exited))
    }

    /// Lets the task go: it disposes of itself when it ends, and its result is dropped.
    pub fn detach(self) -> TaskRef {
        let (task, packet) = self.disarm();
        drop(packet);
        let_go(&task);
        TaskRef::new(task)
    }

    /// Whether the task has ended, so that joining does not wait.
    pub fn has_ended(&self) -> bool {
        self.task.ended().is_some()
    }

    /// The right to look at the task.
    pub fn observe(&self) -> TaskRef {
        TaskRef::new(Arc::clone(&self.task))
    }

    /// The right to end the task.
    pub fn kill_capability(&self) -> KillCapability {
        KillCapability::new(Arc::clone(&self.task))
    }

    /// The task's number.
    pub fn id(&self) -> TaskId {
        self.task.id()
    }

    /// The parts, without what dropping does.
    fn disarm(self) -> (Arc<Task>, Arc<Packet<T>>) {
        let this = ManuallyDrop::new(self);
        // SAFETY: each part is read once, and `this` is not dropped.
        unsafe { (core::ptr::read(&this.task), core::ptr::read(&this.packet)) }
    }
}

/// Nobody will join the task.
fn let_go(task: &Arc<Task>) {
    if task.dispose(RIGHT, Disposal::Detached) == Disposal::Ended {
        reaper::dispose(task);
    }
}

impl<T> Drop for Joinable<T> {
    fn drop(&mut self) {
        let_go(&self.task);
        if !fault_context::unwinding() {
            panic!("{:?} was neither joined nor detached", self.task);
        }
    }
}

impl<T> fmt::Debug for Joinable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Joinable({:?})", self.task)
    }
}
