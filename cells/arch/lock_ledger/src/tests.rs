//! On the host, where no context is interrupted and none is lost: each test makes its own case.

use core::sync::atomic::AtomicBool;

use super::*;

const ME: u64 = 7;

/// Enters a lock that outlives the ledger's use of it.
fn enter(ledger: &Ledger, lock: &LockHeader) -> Entry {
    // SAFETY: no test looks at a ledger after the locks in it are gone, but the one about that.
    unsafe { ledger.enter(lock) }
}

fn release_all(ledger: &Ledger) -> Released {
    // SAFETY: no frame of a test uses a lock as its holder afterwards, and nothing interrupts it.
    unsafe { ledger.release_since(&Snapshot::EMPTY) }
}

#[test]
fn held_lock_is_released_and_poisoned() {
    let (ledger, lock) = (Ledger::new(ME), LockHeader::spinning());
    enter(&ledger, &lock);
    assert!(lock.try_take(ME));
    let released = release_all(&ledger);
    assert_eq!(released, Released { count: 1, intents: 0, unrecorded: 0 });
    assert!(lock.is_poisoned());
    assert_eq!(lock.holder(), NOBODY);
    assert_eq!(ledger.depth(), 0);
}

#[test]
fn intent_is_dropped_and_the_holder_keeps_the_lock() {
    let (ledger, lock) = (Ledger::new(ME), LockHeader::spinning());
    assert!(lock.try_take(9));
    enter(&ledger, &lock);
    let released = release_all(&ledger);
    assert_eq!((released.count, released.intents), (0, 1));
    assert_eq!(lock.holder(), 9);
    assert!(!lock.is_poisoned());
}

#[test]
fn locks_on_a_lost_stack_are_not_touched() {
    let (ledger, lost, kept) = (Ledger::new(ME), LockHeader::spinning(), LockHeader::spinning());
    for lock in [&lost, &kept] {
        enter(&ledger, lock);
        assert!(lock.try_take(ME));
    }
    let address = ptr::from_ref(&lost).addr() as u64;
    assert_eq!(ledger.forget_within(address..address + 1), 1);
    assert_eq!(release_all(&ledger).count, 1);
    assert_eq!((lost.holder(), kept.holder()), (ME, NOBODY));
}

#[test]
fn locks_may_be_released_in_any_order() {
    let (ledger, first, second) = (Ledger::new(ME), LockHeader::spinning(), LockHeader::spinning());
    let one = enter(&ledger, &first);
    let two = enter(&ledger, &second);
    ledger.strike(one);
    assert_eq!(ledger.depth(), 1);
    assert_eq!(enter(&ledger, &first), one);
    ledger.strike(two);
    ledger.strike(one);
    assert_eq!(ledger.depth(), 0);
}

#[test]
fn a_full_ledger_counts_what_it_cannot_record() {
    let ledger = Ledger::new(ME);
    let locks: Vec<_> = (0..LEDGER_SLOTS + 2).map(|_| LockHeader::spinning()).collect();
    let entries: Vec<_> = locks.iter().map(|lock| enter(&ledger, lock)).collect();
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
        enter(&ledger, lock);
        assert!(lock.try_take(ME));
    }
    assert_eq!(release_all(&ledger).count, 2);
    assert_eq!(ORDER.load(Ordering::Relaxed), 77);
}

#[test]
fn only_what_was_entered_since_is_released() {
    let (ledger, outer, inner) = (Ledger::new(ME), LockHeader::spinning(), LockHeader::spinning());
    let entry = enter(&ledger, &outer);
    assert!(outer.try_take(ME));
    let before = ledger.snapshot();
    enter(&ledger, &inner);
    assert!(inner.try_take(ME));
    // SAFETY: as in `release_all`.
    assert_eq!(unsafe { ledger.release_since(&before) }.count, 1);
    assert_eq!((outer.holder(), inner.holder(), ledger.depth()), (ME, NOBODY, 1));
    assert!(inner.is_poisoned() && !outer.is_poisoned());
    ledger.strike(entry);
    assert_eq!(ledger.depth(), 0);
}

#[test]
fn what_found_no_slot_before_stays_counted() {
    let ledger = Ledger::new(ME);
    let locks: Vec<_> = (0..LEDGER_SLOTS + 3).map(|_| LockHeader::spinning()).collect();
    for lock in &locks[..=LEDGER_SLOTS] {
        enter(&ledger, lock);
    }
    let before = ledger.snapshot();
    for lock in &locks[LEDGER_SLOTS + 1..] {
        enter(&ledger, lock);
    }
    // SAFETY: as in `release_all`.
    assert_eq!(unsafe { ledger.release_since(&before) }, Released { unrecorded: 2, ..Released::default() });
    assert_eq!(ledger.unrecorded(), 1);
}

#[test]
fn intents_are_struck_and_held_locks_stay() {
    let (ledger, held, wanted) = (Ledger::new(ME), LockHeader::spinning(), LockHeader::spinning());
    enter(&ledger, &wanted);
    enter(&ledger, &held);
    assert!(held.try_take(ME));
    // SAFETY: no frame is given up.
    unsafe { ledger.strike_intents() };
    assert_eq!(ledger.depth(), 1);
    assert_eq!(release_all(&ledger), Released { count: 1, ..Released::default() });
}

#[test]
fn a_held_lock_is_struck_when_it_is_dropped() {
    struct Shared(Ledger);
    // SAFETY: a ledger's words are atomic; that it is not shared is so for those that end with their task.
    unsafe impl Sync for Shared {}
    static SHARED: Shared = Shared(Ledger::new(ME));
    static IS_OTHERS_LEFT_ALONE: AtomicBool = AtomicBool::new(false);
    // Other tests drop held locks too: theirs are in no slot of this ledger.
    // SAFETY: the function stays where it is for as long as this program runs, and has the ledger forget the lock.
    let right = unsafe { hook::HookCap::new() };
    HELD_LOCK_DROPPED.set(right, |lock| {
        let depth = SHARED.0.depth();
        SHARED.0.forget(lock);
        if SHARED.0.depth() == depth {
            IS_OTHERS_LEFT_ALONE.store(true, Ordering::Relaxed);
        }
    });
    let lock = Box::new(LockHeader::spinning());
    enter(&SHARED.0, &lock);
    assert!(lock.try_take(ME));
    let (free, others) = (LockHeader::spinning(), LockHeader::spinning());
    assert!(others.try_take(9));
    drop((free, others));
    assert!(IS_OTHERS_LEFT_ALONE.load(Ordering::Relaxed));
    assert_eq!(SHARED.0.depth(), 1);
    drop(lock);
    assert_eq!(release_all(&SHARED.0), Released::default());
}
