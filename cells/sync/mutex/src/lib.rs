//! A lock for which tasks wait by giving up the CPU.
//!
//! Guarantees:
//! - mutual exclusion between tasks; the word of the lock names its holder, and the holder's ledger names the lock,
//!   so recovery releases and poisons a mutex after its guard was lost, and a watchdog sees which task waits for which;
//! - a task that panics (or is ended) while it holds the lock poisons it: the next one to lock is told, and may go on
//!   with what it finds ([`Poisoned::into_inner`]);
//! - the holder inherits the priority of the most urgent task that waits, along chains of locks too;
//! - waiting is kickable and a cancellation point (see `wait_queue`);
//! - a mutex may be moved after its guard was forgotten: the part that others know by its address stays where it is.
//!
//! How it can fail: [`Poisoned`], and at the first lock for want of memory. Locking a mutex that the task itself holds panics
//! rather than wait for ever; so does waiting where blocking is forbidden.
#![no_std]

mod core_lock;

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use clock::Instant;
use fixed_place::FixedPlace;
use task_core::TaskId;
use wait_queue::Wait;

use core_lock::{Attempt, Core, Hold};

/// A value that one task at a time may use.
pub struct Mutex<T: ?Sized> {
    core: FixedPlace<Core>,
    data: UnsafeCell<T>,
}

// SAFETY: the lock gives the data to one task at a time.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
// SAFETY: the mutex owns the data.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}

/// Access to a mutex's data, until dropped. It stays with the task that locked.
#[must_use = "the mutex is unlocked when the guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    held: Hold,
    not_send: PhantomData<*const ()>,
}

// SAFETY: sharing the guard shares the data only.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

/// What was locked although a task died while it held the lock: the data may be half changed.
pub struct Poisoned<G> {
    guard: G,
}

impl<G> Poisoned<G> {
    /// For other locks that poison.
    pub fn new(guard: G) -> Self {
        Self { guard }
    }

    /// The guard, for callers that can deal with half changed data.
    pub fn into_inner(self) -> G {
        self.guard
    }
}

impl<G> fmt::Debug for Poisoned<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Poisoned")
    }
}

impl<G> fmt::Display for Poisoned<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task died while it held the lock")
    }
}

/// A guard, or a guard that warns.
pub type LockResult<G> = Result<G, Poisoned<G>>;

/// Why a lock was not had.
pub enum TryLockError<G> {
    /// Another task holds it.
    WouldBlock,
    /// It was had, but a task died while it held it.
    Poisoned(Poisoned<G>),
}

impl<G> fmt::Debug for TryLockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WouldBlock => "WouldBlock",
            Self::Poisoned(_) => "Poisoned",
        })
    }
}

impl<T> Mutex<T> {
    /// A free mutex around `data`.
    pub const fn new(data: T) -> Self {
        Self { core: FixedPlace::new(), data: UnsafeCell::new(data) }
    }

    /// The data, when the lock is not needed any more.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    #[inline]
    fn core(&self) -> &Core {
        self.core.get_or_make(Core::new)
    }

    /// Locks, waiting for the holder of the mutex.
    ///
    /// # Errors
    /// [`Poisoned`], with the guard, if a task has died that held the lock.
    ///
    /// # Panics
    /// The task itself holds the mutex, or must not block here.
    #[inline(always)]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.lock_after(&mut Wait::new())
    }

    /// As [`lock`](Self::lock), for a task that another wait has led here: for condition variables.
    ///
    /// # Errors
    /// As for [`lock`](Self::lock).
    #[inline(always)]
    pub fn lock_after(&self, before: &mut Wait<'_>) -> LockResult<MutexGuard<'_, T>> {
        let mut wait = before.continued();
        loop {
            match self.core().attempt() {
                Attempt::Taken(held) => return self.guard(held),
                Attempt::MustWait(ticket) => wait.park(ticket),
            }
        }
    }

    /// Locks, waiting until `deadline` at most.
    ///
    /// # Errors
    /// [`TryLockError`]: the mutex was held until then, or it is poisoned.
    #[inline(always)]
    pub fn lock_until(&self, deadline: Instant) -> Result<MutexGuard<'_, T>, TryLockError<MutexGuard<'_, T>>> {
        let mut wait = Wait::within(Some(deadline));
        loop {
            match self.core().attempt() {
                Attempt::Taken(held) => return self.guard(held).map_err(TryLockError::Poisoned),
                Attempt::MustWait(_) if wait.is_over() => {
                    task_core::give_up_waiting();
                    return Err(TryLockError::WouldBlock);
                }
                Attempt::MustWait(ticket) => wait.park(ticket),
            }
        }
    }

    /// Locks if no task holds the mutex.
    ///
    /// # Errors
    /// [`TryLockError`]: the mutex is held, or it is poisoned.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError<MutexGuard<'_, T>>> {
        match self.core().attempt_once() {
            Some(held) => self.guard(held).map_err(TryLockError::Poisoned),
            None => Err(TryLockError::WouldBlock),
        }
    }

    #[inline]
    fn guard(&self, held: Hold) -> LockResult<MutexGuard<'_, T>> {
        let guard = MutexGuard { mutex: self, held, not_send: PhantomData };
        if self.core.get().is_some_and(Core::is_poisoned) { Err(Poisoned::new(guard)) } else { Ok(guard) }
    }

    /// Whether a task died while it held the lock.
    pub fn is_poisoned(&self) -> bool {
        self.core.get().is_some_and(Core::is_poisoned)
    }

    /// Declares the data sound again.
    pub fn clear_poison(&self) {
        if let Some(core) = self.core.get() {
            core.clear_poison();
        }
    }

    /// The task that holds the lock now.
    pub fn holder(&self) -> Option<TaskId> {
        self.core.get().and_then(Core::holder)
    }

    /// The data, without locking: the caller has the only reference.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex that is locked, for condition variables.
    pub fn mutex(&self) -> &'a Mutex<T> {
        self.mutex
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard's existence means that this task holds the lock.
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed mutably.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.core().release(&self.held);
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => out.field("data", &&*guard),
            Err(TryLockError::Poisoned(poisoned)) => out.field("data", &&*poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => out.field("holder", &self.holder()),
        };
        out.field("poisoned", &self.is_poisoned()).finish()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
