//! The record of held locks, which lets recovery release the locks of a frame that was lost.
//!
//! Every lock has a [`LockHeader`], and a word of the header names the owner of the lock. Every execution context (task,
//! or CPU while it boots) has a [`Ledger`]. A lock is entered in the ledger *before* its word is taken, and is struck
//! from the ledger *after* its word is released. So at any instruction, and after any fault:
//! - a lock is in its owner's ledger (or was counted in [`Ledger::unrecorded`]) if its word names that owner;
//! - a lock in the ledger is a mere intent, and may be forgotten, if its word does not name the ledger's owner.
//!
//! A lock that is dropped although its word names an owner (its guard was lost or forgotten) is struck from that
//! owner's ledger, and one that recovery is just releasing is not dropped before that is done. So a ledger never names
//! memory that has another use by now, except when a lock was *moved* after its guard was forgotten. Locks that are made for
//! applications keep their headers in a place that does not move; the others are for cells that forget no
//! guards.
//!
//! A ledger is written only by the context it belongs to and by interrupt handlers on top of it, which leave it
//! as they found it; that is why plain loads and stores of its words suffice. (Others only strike a lock that they
//! drop.) When 16 locks are held at once, further ones work but are not recorded: the only way this crate can fail, and
//! it is counted.
#![cfg_attr(not(test), no_std)]

mod header;

use core::cell::Cell;
use core::hint;
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

pub use header::{HELD_LOCK_DROPPED, LockHeader, NOBODY};

/// Locks that one context can hold at once with a record of each. The deepest nesting in the kernel is four.
pub const LEDGER_SLOTS: usize = 16;

/// Where a lock is entered in a ledger; handed back to strike it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(u8);

/// The entry of a lock that found no free slot.
const UNRECORDED: Entry = Entry(u8::MAX);
/// The entry of a lock in the slot that most locks find free: it takes no search.
const FIRST: Entry = Entry(0);

/// The locks that one context holds or is about to take.
#[derive(Debug)]
pub struct Ledger {
    owner: AtomicU64,
    /// The locks; null where a slot is free.
    slots: [AtomicPtr<LockHeader>; LEDGER_SLOTS],
    unrecorded: AtomicU32,
    /// The lock that the context looks at without borrowing it; the drop of that lock waits.
    inspected: AtomicPtr<LockHeader>,
    /// A reference does not leave the context that the ledger belongs to: the ledger goes with the context.
    not_shared: PhantomData<Cell<()>>,
}

/// The content of a ledger at some time.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    slots: [*const LockHeader; LEDGER_SLOTS],
    unrecorded: u32,
}

/// The result of [`Ledger::release_since`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Released {
    /// Locks that were held: released and poisoned.
    pub count: u32,
    /// Locks that were only about to be taken: struck.
    pub intents: u32,
    /// Locks that found no slot and may still be held.
    pub unrecorded: u32,
}

impl Ledger {
    /// An empty ledger of `owner`, which must be unique among all ledgers and not zero.
    pub const fn new(owner: u64) -> Self {
        Self {
            owner: AtomicU64::new(owner),
            slots: [const { AtomicPtr::new(ptr::null_mut()) }; LEDGER_SLOTS],
            unrecorded: AtomicU32::new(0),
            inspected: AtomicPtr::new(ptr::null_mut()),
            not_shared: PhantomData,
        }
    }

    /// The number that this context writes into owner words.
    #[inline]
    pub fn owner(&self) -> u64 {
        self.owner.load(Ordering::Relaxed)
    }

    /// Enters a lock that is about to be taken.
    ///
    /// # Safety
    /// The ledger is the running context's. Before the lock goes away the entry is struck, or the lock's word names this
    /// ledger's owner, so that dropping the lock strikes it. The lock's guard borrows the lock, so this holds for all
    /// that use guards.
    #[inline]
    pub unsafe fn enter(&self, lock: &LockHeader) -> Entry {
        // An interrupt between the look and the store leaves the slot as it found it: free.
        if !self.slots[0].load(Ordering::Relaxed).is_null() {
            return self.enter_further(lock);
        }
        self.slots[0].store(ptr::from_ref(lock).cast_mut(), Ordering::Release);
        FIRST
    }

    fn enter_further(&self, lock: &LockHeader) -> Entry {
        for (number, slot) in (1..).zip(&self.slots[1..]) {
            if slot.load(Ordering::Relaxed).is_null() {
                slot.store(ptr::from_ref(lock).cast_mut(), Ordering::Release);
                return Entry(number);
            }
        }
        self.unrecorded.store(self.unrecorded.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        UNRECORDED
    }

    /// Strikes an entry after its lock was released, or was not taken after all.
    #[inline]
    pub fn strike(&self, entry: Entry) {
        match self.slots.get(usize::from(entry.0)) {
            Some(slot) => slot.store(ptr::null_mut(), Ordering::Release),
            None => self.strike_unrecorded(),
        }
    }

    #[cold]
    fn strike_unrecorded(&self) {
        self.unrecorded.store(self.unrecorded.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
    }

    /// How many locks are entered; zero when the context holds none.
    #[inline]
    pub fn depth(&self) -> u32 {
        let entered = |slot: &AtomicPtr<LockHeader>| u32::from(!slot.load(Ordering::Relaxed).is_null());
        self.slots.iter().map(entered).sum::<u32>() + self.unrecorded.load(Ordering::Relaxed)
    }

    /// How many held locks found no slot.
    pub fn unrecorded(&self) -> u32 {
        self.unrecorded.load(Ordering::Relaxed)
    }

    /// The entries of now, to compare with later ones. For the own context.
    #[inline]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            slots: self.slots.each_ref().map(|slot| slot.load(Ordering::Relaxed).cast_const()),
            unrecorded: self.unrecorded.load(Ordering::Relaxed),
        }
    }

    /// Strikes a lock that is being dropped while its word names this ledger's owner. When this returns, the owner does
    /// not look at the lock and never will. Any context may call this.
    pub fn forget(&self, lock: &LockHeader) {
        let address = ptr::from_ref(lock).cast_mut();
        for slot in &self.slots {
            // First strike, then look at the inspected lock; `inspect` does it the other way round (docs/memory-order.md, 7).
            let _ = slot.compare_exchange(address, ptr::null_mut(), Ordering::SeqCst, Ordering::Relaxed);
        }
        while self.inspected.load(Ordering::SeqCst) == address {
            hint::spin_loop();
        }
    }

    /// Strikes the locks that lie at these addresses, without looking at them, and says how many: locks on a stack
    /// that is given up. The memory of this stack may have another use by now. No other task can wait for these locks
    /// any more.
    pub fn forget_within(&self, addresses: core::ops::Range<u64>) -> u32 {
        let mut forgotten = 0;
        for slot in &self.slots {
            let lock = slot.load(Ordering::Acquire);
            if !lock.is_null() && addresses.contains(&(lock.addr() as u64)) {
                slot.store(ptr::null_mut(), Ordering::Release);
                forgotten += 1;
            }
        }
        forgotten
    }

    /// Shows `look` the lock in a slot, which is not dropped meanwhile.
    ///
    /// # Safety
    /// The ledger is the running context's, and the lock exists, unless its drop strikes it.
    unsafe fn inspect<R>(&self, slot: &AtomicPtr<LockHeader>, look: impl FnOnce(&LockHeader) -> R) -> Option<R> {
        let lock = slot.load(Ordering::Acquire);
        // First the inspected lock, then the second look at the slot: the counterpart of `forget` (docs/memory-order.md, 7).
        self.inspected.store(lock, Ordering::SeqCst);
        let is_there = !lock.is_null() && slot.load(Ordering::SeqCst) == lock;
        // SAFETY: `enter` stored a reference's address; the caller says that the lock exists or is struck before it goes
        // away, and its drop, which strikes it, sees that this context looks at it and waits.
        let result = is_there.then(|| look(unsafe { &*lock }));
        self.inspected.store(ptr::null_mut(), Ordering::SeqCst);
        result
    }

    /// Strikes the locks that are entered but not held: those that the frame in which a fault happened was about to take
    /// or has just released. To be called before that frame is given up, while it still keeps those locks alive.
    ///
    /// # Safety
    /// The ledger is the running context's, with interrupts off, and no frame has been given up since the fault.
    pub unsafe fn strike_intents(&self) {
        for slot in &self.slots {
            // SAFETY: the frames that entered locks without holding them still borrow those; a lock that is held by a
            // frame that was lost before is struck when it is dropped.
            if unsafe { self.inspect(slot, |lock| lock.holder() != self.owner()) } == Some(true) {
                slot.store(ptr::null_mut(), Ordering::Release);
            }
        }
    }

    /// Releases and poisons the locks that this context holds and did not hold `before`, latest slot first; drops mere intents.
    ///
    /// # Safety
    /// The ledger is the running context's, with interrupts off. It must never run again in a frame that believes it
    /// holds one of the locks. Locks on the part of its stack that was given up have been forgotten, and intents of lost
    /// frames struck ([`Ledger::strike_intents`]) before those frames were.
    pub unsafe fn release_since(&self, before: &Snapshot) -> Released {
        let unrecorded = self.unrecorded.swap(before.unrecorded, Ordering::Relaxed);
        let mut released = Released { unrecorded: unrecorded.saturating_sub(before.unrecorded), ..Released::default() };
        for (slot, &known) in self.slots.iter().zip(&before.slots).rev() {
            if slot.load(Ordering::Acquire).cast_const() == known {
                continue;
            }
            // SAFETY: a lock of a lost frame was leaked where it is, and exists, or is struck when it is dropped.
            match unsafe { self.inspect(slot, |lock| lock.release_if_held(self.owner())) } {
                Some(true) => released.count += 1,
                Some(false) => released.intents += 1,
                None => {}
            }
            slot.store(ptr::null_mut(), Ordering::Release);
        }
        released
    }
}

impl Snapshot {
    /// Nothing was entered.
    pub const EMPTY: Self = Self { slots: [ptr::null(); LEDGER_SLOTS], unrecorded: 0 };
}

#[cfg(test)]
mod tests;
