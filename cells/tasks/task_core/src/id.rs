//! Numbers of tasks.

use core::fmt;
use core::num::NonZeroU64;

/// A task's number: unique for ever, and the mark of the locks it holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(NonZeroU64);

impl TaskId {
    /// The task with this number, if a task can have it.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) if number.get() & cpu_local::BOOT_OWNER == 0 => Some(Self(number)),
            _ => None,
        }
    }

    /// The number.
    #[inline]
    pub const fn number(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.0)
    }
}
