//! Waiting for a condition on what a mutex protects.
//!
//! Guarantees: between unlocking the mutex and waiting no notification is lost. [`ConditionVariable::wait`] may return
//! without one (a kick makes it so), so the condition is looked at in a loop; [`ConditionVariable::wait_while`] is
//! that loop. Waiting is a cancellation point; a task that is ended before it has the mutex again passes the notification that
//! it had on to the next. Fails as locking does: [`Poisoned`](mutex::Poisoned).
#![no_std]
#![forbid(unsafe_code)]

use clock::Instant;
use mutex::{LockResult, MutexGuard};
use wait_queue::{Wait, WaitQueue};

/// Where tasks wait for a condition to become true.
#[derive(Debug, Default)]
pub struct ConditionVariable {
    queue: WaitQueue,
}

impl ConditionVariable {
    /// A condition for which no task waits.
    pub const fn new() -> Self {
        Self { queue: WaitQueue::new() }
    }

    /// Wakes the task that has waited longest. Whether there was one.
    pub fn notify_one(&self) -> bool {
        self.queue.wake_one()
    }

    /// Wakes all tasks that wait. How many there were.
    pub fn notify_all(&self) -> usize {
        self.queue.wake_all()
    }

    /// Unlocks the mutex, waits, and locks it again.
    ///
    /// # Errors
    /// [`Poisoned`](mutex::Poisoned), with the guard.
    #[inline(always)]
    pub fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_within(guard, Wait::new())
    }

    /// As [`wait`](Self::wait), until `deadline` at most; the caller looks at the condition, not at the clock.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    #[inline(always)]
    pub fn wait_until<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Instant,
    ) -> LockResult<MutexGuard<'a, T>> {
        self.wait_within(guard, Wait::within(Some(deadline)))
    }

    #[inline(always)]
    fn wait_within<'a, 'b, T: ?Sized>(
        &'b self,
        guard: MutexGuard<'a, T>,
        mut wait: Wait<'b>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let mutex = guard.mutex();
        let ticket = self.queue.ticket();
        drop(guard);
        wait.park(ticket);
        mutex.lock_after(&mut wait)
    }

    /// Waits until `condition` is false.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    #[inline(always)]
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }
}
