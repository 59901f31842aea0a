//! Who holds which lock: the record that lets recovery release the locks of a frame that was lost.
//!
//! Every lock has a [`LockHeader`] whose word names its owner; every execution context (task, or CPU while it
//! boots) has a [`Ledger`] in which a lock is entered *before* its word is taken and from which it is struck
//! *after* its word is released. So at any instruction, and after any fault:
//! - a lock whose word names the owner is in the owner's ledger (or was counted in [`Ledger::unrecorded`]);
//! - a lock in the ledger whose word names somebody else is a mere intent and may be forgotten.
//!
//! A ledger is written only by the context it belongs to and by interrupt handlers on top of it, which leave it
//! as they found it; that is why plain loads and stores of its words suffice. When 16 locks are held at once,
//! further ones work but are not recorded: the only way this crate can fail, and it is counted.
#![cfg_attr(not(test), no_std)]

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// Locks that one context can hold at once with a record of each. The deepest nesting in the kernel is four.
pub const LEDGER_SLOTS: usize = SLOTS as usize;
const SLOTS: u8 = 16;

/// The owner word of a lock that nobody holds; no ledger has this owner.
pub const NOBODY: u64 = 0;

/// The part that all lock types share; first field of each of them.
#[derive(Debug)]
pub struct LockHeader {
    /// Who holds the lock: [`NOBODY`], or the owner number of the holder's ledger.
    pub owner: AtomicU64,
    /// Set when the holder died with the lock held: the data may be half changed.
    pub poisoned: AtomicBool,
    /// How recovery lets go of this kind of lock (a blocking lock wakes a waiter).
    pub release: fn(&LockHeader),
}

impl LockHeader {
    /// A free lock that recovery releases by calling `release`, which must make `owner` something else.
    pub const fn new(release: fn(&LockHeader)) -> Self {
        Self { owner: AtomicU64::new(NOBODY), poisoned: AtomicBool::new(false), release }
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

    /// What recovery does with a lock that it finds in the ledger of `owner`.
    fn release_if_held(&self, owner: u64, released: &mut Released) {
        if self.holder() == owner {
            self.poisoned.store(true, Ordering::Release);
            (self.release)(self);
            released.count += 1;
        } else {
            released.intents += 1;
        }
    }
}

fn clear_owner(header: &LockHeader) {
    header.owner.store(NOBODY, Ordering::Release);
}

/// Where a lock is entered in a ledger; handed back to strike it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(u8);

/// The entry of a lock that found no free slot.
const UNRECORDED: Entry = Entry(u8::MAX);
/// Places that are searched when the first is taken.
const FURTHER_SLOTS: usize = LEDGER_SLOTS - 1;
/// The entry of a lock in the place of its own that most locks find free: it takes no search.
const FIRST: Entry = Entry(u8::MAX - 1);

/// The locks that one context holds or is about to take.
#[derive(Debug)]
pub struct Ledger {
    owner: AtomicU64,
    /// Where a lock is entered if it is the only one; null while that is free.
    first: AtomicPtr<LockHeader>,
    /// Bit *i* is set while slot *i* is in use.
    used: AtomicU16,
    unrecorded: AtomicU32,
    slots: [AtomicPtr<LockHeader>; FURTHER_SLOTS],
}

/// What [`Ledger::release_all`] found.
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
    /// An empty ledger of `owner`, which must be unique among all ledgers and not [`NOBODY`].
    pub const fn new(owner: u64) -> Self {
        Self {
            owner: AtomicU64::new(owner),
            first: AtomicPtr::new(ptr::null_mut()),
            used: AtomicU16::new(0),
            unrecorded: AtomicU32::new(0),
            slots: [const { AtomicPtr::new(ptr::null_mut()) }; FURTHER_SLOTS],
        }
    }

    /// The number that this context writes into owner words.
    #[inline]
    pub fn owner(&self) -> u64 {
        self.owner.load(Ordering::Relaxed)
    }

    /// Gives an empty ledger to another owner (a recycled task structure).
    pub fn set_owner(&self, owner: u64) {
        self.owner.store(owner, Ordering::Relaxed);
    }

    /// Enters a lock that is about to be taken. The entry must be struck before the lock goes away: a lock's
    /// guard borrows the lock, so this holds for all that use guards.
    #[inline]
    pub fn enter(&self, lock: &LockHeader) -> Entry {
        if !self.first.load(Ordering::Relaxed).is_null() {
            return self.enter_further(lock);
        }
        self.first.store(ptr::from_ref(lock).cast_mut(), Ordering::Release);
        FIRST
    }

    #[expect(clippy::cast_possible_truncation, reason = "a slot is below 16")]
    fn enter_further(&self, lock: &LockHeader) -> Entry {
        let used = self.used.load(Ordering::Relaxed);
        let slot = used.trailing_ones() as usize;
        let Some(place) = self.slots.get(slot) else {
            self.unrecorded.store(self.unrecorded.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            return UNRECORDED;
        };
        place.store(ptr::from_ref(lock).cast_mut(), Ordering::Relaxed);
        self.used.store(used | 1 << slot, Ordering::Release);
        Entry(slot as u8)
    }

    /// Strikes an entry after its lock was released, or was not taken after all.
    #[inline]
    pub fn strike(&self, entry: Entry) {
        if entry == FIRST {
            self.first.store(ptr::null_mut(), Ordering::Release);
        } else {
            self.strike_further(entry);
        }
    }

    fn strike_further(&self, entry: Entry) {
        if entry == UNRECORDED {
            self.unrecorded.store(self.unrecorded.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
        } else {
            let bit = 1u16 << (entry.0 as usize % LEDGER_SLOTS);
            self.used.store(self.used.load(Ordering::Relaxed) & !bit, Ordering::Release);
        }
    }

    /// How many locks are entered; zero when the context holds none.
    #[inline]
    pub fn depth(&self) -> u32 {
        let first = u32::from(!self.first.load(Ordering::Relaxed).is_null());
        first + self.used.load(Ordering::Relaxed).count_ones() + self.unrecorded.load(Ordering::Relaxed)
    }

    /// How many held locks found no slot.
    pub fn unrecorded(&self) -> u32 {
        self.unrecorded.load(Ordering::Relaxed)
    }

    /// The locks entered now, for diagnosis of the own context.
    pub fn entered(&self) -> impl Iterator<Item = *const LockHeader> + '_ {
        let used = self.used.load(Ordering::Acquire);
        let first = Some(self.first.load(Ordering::Relaxed).cast_const()).filter(|lock| !lock.is_null());
        let others = self.slots.iter().enumerate().filter(move |(slot, _)| used & 1 << slot != 0);
        first.into_iter().chain(others.map(|(_, place)| place.load(Ordering::Relaxed).cast_const()))
    }

    /// Strikes the locks that lie at these addresses, without looking at them, and says how many: locks on a stack
    /// that is given up, whose memory may be something else by now. Nobody else can wait for them any more.
    pub fn forget_within(&self, addresses: core::ops::Range<u64>) -> u32 {
        let mut forgotten = 0;
        let first = self.first.load(Ordering::Acquire);
        if !first.is_null() && addresses.contains(&(first.addr() as u64)) {
            self.strike(FIRST);
            forgotten += 1;
        }
        for slot in 0..SLOTS - 1 {
            let is_used = self.used.load(Ordering::Acquire) & 1 << slot != 0;
            let lock = self.slots[usize::from(slot)].load(Ordering::Relaxed);
            if is_used && addresses.contains(&(lock.addr() as u64)) {
                self.strike(Entry(slot));
                forgotten += 1;
            }
        }
        forgotten
    }

    /// Releases and poisons what `owner` still holds, and drops mere intents.
    ///
    /// # Safety
    /// The context of this ledger must never run again in a frame that believes it holds one of the locks, and
    /// every lock entered must still exist (a lock in a lost frame has been leaked, not reused).
    pub unsafe fn release_all(&self, owner: u64) -> Released {
        let mut released = Released { unrecorded: self.unrecorded.load(Ordering::Relaxed), ..Released::default() };
        for slot in (0..SLOTS - 1).rev() {
            if self.used.load(Ordering::Acquire) & 1 << slot == 0 {
                continue;
            }
            let lock = self.slots[usize::from(slot)].load(Ordering::Relaxed);
            // SAFETY: `enter` stored a reference's address, and the caller says that the lock still exists.
            unsafe { &*lock }.release_if_held(owner, &mut released);
            self.strike(Entry(slot));
        }
        let first = self.first.load(Ordering::Acquire);
        // SAFETY: as above, unless it is null.
        if let Some(lock) = unsafe { first.as_ref() } {
            lock.release_if_held(owner, &mut released);
            self.strike(FIRST);
        }
        self.unrecorded.store(0, Ordering::Relaxed);
        released
    }
}

/// [`Ledger::release_all`] as a function, for those who have only the pointer from `cpu_local`.
///
/// # Safety
/// As for [`Ledger::release_all`].
pub unsafe fn release_all(ledger: &Ledger, owner: u64) -> Released {
    // SAFETY: the caller's promise is the same.
    unsafe { ledger.release_all(owner) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: u64 = 7;

    #[test]
    fn held_lock_is_released_and_poisoned() {
        let (ledger, lock) = (Ledger::new(ME), LockHeader::spinning());
        ledger.enter(&lock);
        assert!(lock.try_take(ME));
        // SAFETY: no frame of this test uses the lock as its holder afterwards.
        let released = unsafe { release_all(&ledger, ME) };
        assert_eq!(released, Released { count: 1, intents: 0, unrecorded: 0 });
        assert!(lock.is_poisoned());
        assert_eq!(lock.holder(), NOBODY);
        assert_eq!(ledger.depth(), 0);
    }

    #[test]
    fn intent_is_dropped_and_the_holder_keeps_the_lock() {
        let (ledger, lock) = (Ledger::new(ME), LockHeader::spinning());
        assert!(lock.try_take(9));
        ledger.enter(&lock);
        // SAFETY: as above.
        let released = unsafe { ledger.release_all(ME) };
        assert_eq!((released.count, released.intents), (0, 1));
        assert_eq!(lock.holder(), 9);
        assert!(!lock.is_poisoned());
    }

    #[test]
    fn locks_on_a_lost_stack_are_not_touched() {
        let (ledger, lost, kept) = (Ledger::new(ME), LockHeader::spinning(), LockHeader::spinning());
        for lock in [&lost, &kept] {
            ledger.enter(lock);
            assert!(lock.try_take(ME));
        }
        let address = ptr::from_ref(&lost).addr() as u64;
        assert_eq!(ledger.forget_within(address..address + 1), 1);
        // SAFETY: as above.
        assert_eq!(unsafe { ledger.release_all(ME) }.count, 1);
        assert_eq!((lost.holder(), kept.holder()), (ME, NOBODY));
    }

    #[test]
    fn locks_may_be_released_in_any_order() {
        let (ledger, first, second) = (Ledger::new(ME), LockHeader::spinning(), LockHeader::spinning());
        let one = ledger.enter(&first);
        let two = ledger.enter(&second);
        ledger.strike(one);
        assert_eq!(ledger.entered().collect::<Vec<_>>(), vec![ptr::from_ref(&second)]);
        assert_eq!(ledger.enter(&first), one);
        ledger.strike(two);
        ledger.strike(one);
        assert_eq!(ledger.depth(), 0);
    }

    #[test]
    fn a_full_ledger_counts_what_it_cannot_record() {
        let ledger = Ledger::new(ME);
        let locks: Vec<_> = (0..LEDGER_SLOTS + 2).map(|_| LockHeader::spinning()).collect();
        let entries: Vec<_> = locks.iter().map(|lock| ledger.enter(lock)).collect();
        assert_eq!(ledger.unrecorded(), 2);
        assert_eq!(ledger.depth() as usize, locks.len());
        entries.into_iter().for_each(|entry| ledger.strike(entry));
        assert_eq!(ledger.depth(), 0);
    }

    #[test]
    fn locks_are_released_latest_first_by_their_own_function() {
        static ORDER: AtomicU64 = AtomicU64::new(0);
        fn note(header: &LockHeader) {
            let digit = if header.poisoned.load(Ordering::Relaxed) { header.holder() } else { 9 };
            ORDER.store(ORDER.load(Ordering::Relaxed) * 10 + digit, Ordering::Relaxed);
            header.owner.store(NOBODY, Ordering::Relaxed);
        }
        let (ledger, first, second) = (Ledger::new(ME), LockHeader::new(note), LockHeader::new(note));
        for lock in [&first, &second] {
            ledger.enter(lock);
            assert!(lock.try_take(ME));
        }
        // SAFETY: as above.
        assert_eq!(unsafe { ledger.release_all(ME) }.count, 2);
        assert_eq!(ORDER.load(Ordering::Relaxed), 77);
    }
}
