//! Waiting for the end of a task and taking its result.

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::sync::atomic::{AtomicBool, Ordering};

use task_core::{Disposal, Ended, Task, TaskId, TaskRef};

use crate::kill::KillCapability;
use crate::rights::SPAWN;
use crate::{ends, reaper};

/// Where a task puts its result.
///
/// A task can be ended between two instructions, hence while it writes the result. So the result counts only once it is
/// whole, which one store says: a half written result is neither taken nor dropped.
pub(crate) struct Packet<T> {
    value: UnsafeCell<MaybeUninit<T>>,
    is_whole: AtomicBool,
}

// SAFETY: the task alone uses the value before `is_whole` is set. After that the one joiner uses it, or the drop of the last
// reference. The value goes from the task to the joiner, so it must be `Send`.
unsafe impl<T: Send> Sync for Packet<T> {}

impl<T> Packet<T> {
    pub(crate) const fn new() -> Self {
        Self { value: UnsafeCell::new(MaybeUninit::uninit()), is_whole: AtomicBool::new(false) }
    }

    /// # Safety
    /// The caller is the task, which calls this once.
    pub(crate) unsafe fn fill(&self, value: T) {
        // SAFETY: the task alone uses the value before it is whole.
        unsafe { (*self.value.get()).write(value) };
        self.is_whole.store(true, Ordering::Release);
    }

    /// Takes the result, if it is whole and was not taken before.
    fn take(&self) -> Option<T> {
        // SAFETY: the value is whole, and the swap gives it to one caller only.
        self.is_whole.swap(false, Ordering::AcqRel).then(|| unsafe { (*self.value.get()).assume_init_read() })
    }
}

impl<T> Drop for Packet<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// The right, and the duty, to wait for a task ([`join`](Self::join)) or to let it go ([`detach`](Self::detach)).
///
/// A caller that ignores the value that `spawn` returns does not compile. A drop of one that was bound is found at run time:
/// it panics, unless a panic or a kill drops it; then the task is let go.
#[must_use = "a task is joined or detached, never just dropped"]
pub struct Joinable<T> {
    task: Arc<Task>,
    packet: Arc<Packet<T>>,
}

impl<T> Joinable<T> {
    pub(crate) fn new(task: Arc<Task>, packet: Arc<Packet<T>>) -> Self {
        Self { task, packet }
    }

    /// Waits until the task has ended, and takes its result. A cancellation point: a task that is ended while it waits lets the
    /// other one go.
    ///
    /// # Errors
    /// [`Ended`] says why there is no result.
    pub fn join(self) -> Result<T, Ended> {
        let ended = wait_queue::wait_for(ends::queue(&self.task), || self.task.ended());
        let (task, packet) = self.disarm();
        reaper::dispose(&task);
        ended.and_then(|()| packet.take().ok_or(Ended::Exited))
    }

    /// Lets the task go: the reaper disposes of it when it has ended, and the task drops its result.
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

/// The task has no joiner (any more).
fn let_go(task: &Arc<Task>) {
    if task.body(SPAWN).dispose(Disposal::Detached) == Disposal::Ended {
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
