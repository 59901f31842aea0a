//! The part that all locks have in common.

use core::hint;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hook::Hook;

/// The owner word of a free lock; no ledger has this owner.
pub const NOBODY: u64 = 0;

/// Is called with each lock that is dropped while it names a holder; it has the holder's ledger
/// [forget](crate::Ledger::forget) the lock. Before there are tasks no guard is forgotten, and the unset hook does nothing.
pub static HELD_LOCK_DROPPED: Hook<fn(&LockHeader)> = Hook::new(|_lock| {});

/// The part that all lock types share; first field of each of them.
#[derive(Debug)]
pub struct LockHeader {
    /// The owner number of the holder's ledger, or zero while the lock is free.
    pub owner: AtomicU64,
    /// Set when the holder died with the lock held: the data may be half changed.
    pub poisoned: AtomicBool,
    /// Set while recovery releases the lock, which it does not borrow.
    being_released: AtomicBool,
    /// How recovery lets go of this kind of lock (a blocking lock wakes a waiter).
    pub release: fn(&LockHeader),
}

impl LockHeader {
    /// A free lock that recovery releases by calling `release`, which must make `owner` something else.
    pub const fn new(release: fn(&LockHeader)) -> Self {
        Self {
            owner: AtomicU64::new(NOBODY),
            poisoned: AtomicBool::new(false),
            being_released: AtomicBool::new(false),
            release,
        }
    }

    /// A free lock for which clearing the owner word is all there is to a release.
    pub const fn spinning() -> Self {
        Self::new(clear_owner)
    }

    /// The holder now; stale as soon as it is read, unless it is the caller.
    #[inline]
    pub fn holder(&self) -> u64 {
        self.owner.load(Ordering::Acquire)
    }

    /// Whether a holder died with the lock held.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    /// Declares the data sound again.
    pub fn clear_poison(&self) {
        self.poisoned.store(false, Ordering::Release);
    }

    /// Takes the owner word if it is free. The caller has entered the lock in its ledger before.
    #[inline]
    pub fn try_take(&self, owner: u64) -> bool {
        self.owner.compare_exchange(NOBODY, owner, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Releases the lock, which recovery found in the ledger of `owner`, if it is held; whether it was.
    pub(crate) fn release_if_held(&self, owner: u64) -> bool {
        if self.holder() != owner {
            return false;
        }
        // Before the word is cleared: after that, the lock's owner may drop it.
        self.being_released.store(true, Ordering::Relaxed);
        self.poisoned.store(true, Ordering::Release);
        (self.release)(self);
        self.being_released.store(false, Ordering::Release);
        true
    }

    /// The lock is dropped, and it may be that its holder's ledger names it, or that recovery is releasing it.
    #[cold]
    fn leave(&self) {
        if self.holder() != NOBODY {
            HELD_LOCK_DROPPED.get()(self);
        }
        while self.being_released.load(Ordering::Acquire) {
            hint::spin_loop();
        }
    }
}

impl Drop for LockHeader {
    #[inline]
    fn drop(&mut self) {
        if self.holder() != NOBODY || self.being_released.load(Ordering::Acquire) {
            self.leave();
        }
    }
}

fn clear_owner(header: &LockHeader) {
    header.owner.store(NOBODY, Ordering::Release);
}
