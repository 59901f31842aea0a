//! A lock that many tasks can hold to read, or one to write.
//!
//! Guarantees: a writer is alone; a writer that waits keeps new readers out, so readers cannot starve it; a
//! hold of either kind is in the ledger of its task, so that a lost guard is released. A writer that dies poisons
//! the lock ([`Poisoned`]); a reader that dies does not, for it changed nothing. Waiting is kickable and a
//! cancellation point (see `wait_queue`).
//!
//! A waiting task notes the task that holds the lock, so the watchdog finds circles (see `watchdog`).
//!
//! The part that others know by its address stays where it is when a lock is moved after its guard was forgotten.
//!
//! How it can fail: [`Poisoned`], and at the first lock for want of memory. At most [`MAX_READERS`] read at once; one more
//! waits. Asking for a lock in a way that the task's own hold on it forbids panics rather than wait for ever.
#![no_std]

mod core_lock;

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use core_lock::{Attempt, Claim, Core, ReaderHold};
use fixed_place::FixedPlace;
use wait_queue::Wait;

pub use core_lock::MAX_READERS;
pub use mutex::{LockResult, Poisoned};

/// A value that many tasks may read, or one may change.
pub struct RwLock<T: ?Sized> {
    core: FixedPlace<Core>,
    data: UnsafeCell<T>,
}

// SAFETY: the lock gives the data to readers, or to one writer.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
// SAFETY: the lock owns the data.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}

/// Shared access, until dropped.
#[must_use = "the lock is released when the guard is dropped"]
pub struct ReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    hold: ReaderHold,
    not_send: PhantomData<*const ()>,
}

/// Exclusive access, until dropped.
#[must_use = "the lock is released when the guard is dropped"]
pub struct WriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    _claim: Claim<'a>,
    not_send: PhantomData<*const ()>,
}

impl<T> RwLock<T> {
    /// A free lock around `data`.
    pub const fn new(data: T) -> Self {
        Self { core: FixedPlace::new(), data: UnsafeCell::new(data) }
    }

    /// The data, when the lock is not needed any more.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    #[inline]
    fn core(&self) -> &Core {
        self.core.get_or_make(Core::new)
    }

    /// Waits until no task writes, or waits to write.
    ///
    /// # Errors
    /// [`Poisoned`], with the guard, if a writer has died.
    ///
    /// # Panics
    /// The task itself writes, or the task must not block here.
    #[inline(always)]
    pub fn read(&self) -> LockResult<ReadGuard<'_, T>> {
        let mut wait = Wait::new();
        loop {
            match self.core().attempt_read() {
                Attempt::Taken(hold) => {
                    let guard = ReadGuard { lock: self, hold, not_send: PhantomData };
                    return if self.core.get().is_some_and(Core::is_poisoned) {
                        Err(Poisoned::new(guard))
                    } else {
                        Ok(guard)
                    };
                }
                Attempt::MustWait(ticket) => wait.park(ticket),
            }
        }
    }

    /// Waits until the running task is alone.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    ///
    /// # Panics
    /// The task itself has the lock already, or must not block here.
    #[inline(always)]
    pub fn write(&self) -> LockResult<WriteGuard<'_, T>> {
        let mut wait = Wait::new();
        let claim = loop {
            match self.core().attempt_claim() {
                Attempt::Taken(claim) => break claim,
                Attempt::MustWait(ticket) => wait.park(ticket),
            }
        };
        let mut until_alone = wait.continued();
        while let Attempt::MustWait(ticket) = claim.attempt_alone() {
            until_alone.park(ticket);
        }
        drop(until_alone);
        let guard = WriteGuard { lock: self, _claim: claim, not_send: PhantomData };
        if self.core.get().is_some_and(Core::is_poisoned) { Err(Poisoned::new(guard)) } else { Ok(guard) }
    }

    /// Whether a task died while it wrote.
    pub fn is_poisoned(&self) -> bool {
        self.core.get().is_some_and(Core::is_poisoned)
    }

    /// Declares the data sound again.
    pub fn clear_poison(&self) {
        if let Some(core) = self.core.get() {
            core.clear_poison();
        }
    }

    /// The data, without locking: the caller has the only reference.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }
}

impl<T: ?Sized> Deref for ReadGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: while the guard lives, its reader has the lock, and no task writes.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> Drop for ReadGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.core().release_read(&self.hold);
    }
}

impl<T: ?Sized> Deref for WriteGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: while the guard lives, its task is alone with the data.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RwLock(poisoned: {})", self.is_poisoned())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
