//! A small number for each task.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::{MAX_TASKS, Slot};

/// A number for each task, which a policy keeps while the task runs or is blocked.
///
/// Tasks move between CPUs, so the table is shared by all queues. One queue at a time changes the number of a task: the queue in
/// which the task is, or that of the CPU which runs it. The words are atomics because the compiler cannot see that.
#[derive(Debug)]
pub struct PerTask([AtomicU8; MAX_TASKS]);

impl PerTask {
    /// A table of zeros.
    pub const fn new() -> Self {
        Self([const { AtomicU8::new(0) }; MAX_TASKS])
    }

    /// The number of `task`.
    #[inline]
    pub fn get(&self, task: Slot) -> u8 {
        self.0[task.index()].load(Relaxed)
    }

    /// Changes the number of `task`.
    #[inline]
    pub fn set(&self, task: Slot, value: u8) {
        self.0[task.index()].store(value, Relaxed);
    }
}

impl Default for PerTask {
    fn default() -> Self {
        Self::new()
    }
}
