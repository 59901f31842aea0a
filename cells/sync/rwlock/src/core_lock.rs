//! The lock without its data.
//!
//! A writer first *claims* the lock, which keeps new readers and other writers out, and then waits until the readers
//! are gone. Each reader takes a place of its own, a lock header, so that its ledger can name it.

use core::mem::{offset_of, size_of};
use core::ptr;
use core::sync::atomic::Ordering;

use lock_ledger::{Entry, Ledger, LockHeader, NOBODY};
use wait_queue::{Ticket, WaitQueue};

/// Tasks that can read at once.
pub const MAX_READERS: usize = 16;

/// The place of one reader.
#[repr(C)]
#[derive(Debug)]
struct Reader {
    header: LockHeader,
    index: usize,
}

/// The lock; the writer's header comes first, so that its address is the lock's.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Core {
    writer: LockHeader,
    readers: [Reader; MAX_READERS],
    queue: WaitQueue,
}

/// What became of an attempt.
pub(crate) enum Attempt<'a, H> {
    /// It succeeded.
    Taken(H),
    /// Park, and try again.
    MustWait(Ticket<'a>),
}

/// That the running task reads.
#[derive(Debug)]
pub(crate) struct Place {
    index: usize,
    ledger: &'static Ledger,
    entry: Entry,
}

/// That the running task is the one that writes, or waits for the readers to go. Given up on drop.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    core: &'a Core,
    ledger: &'static Ledger,
    entry: Entry,
    was_unwinding: bool,
}

impl Core {
    pub(crate) const fn new() -> Self {
        let mut readers = [const { Reader { header: LockHeader::new(release_lost_reader), index: 0 } }; MAX_READERS];
        let mut index = 0;
        while index < MAX_READERS {
            readers[index].index = index;
            index += 1;
        }
        Self { writer: LockHeader::new(release_lost_writer), readers, queue: WaitQueue::new() }
    }

    /// Takes a reader's place.
    pub(crate) fn attempt_read(&self) -> Attempt<'_, Place> {
        let ticket = self.queue.ticket();
        if self.writer.owner.load(Ordering::SeqCst) != NOBODY {
            return Attempt::MustWait(ticket);
        }
        let ledger = cpu_local::ledger();
        for reader in &self.readers {
            if reader.header.owner.load(Ordering::Relaxed) != NOBODY {
                continue;
            }
            let place = Place { index: reader.index, ledger, entry: ledger.enter(&reader.header) };
            let mine =
                reader.header.owner.compare_exchange(NOBODY, ledger.owner(), Ordering::SeqCst, Ordering::Relaxed);
            if mine.is_err() {
                ledger.strike(place.entry);
                continue;
            }
            // A reader first takes its place and then looks for a writer; a writer claims and then looks for readers.
            if self.writer.owner.load(Ordering::SeqCst) == NOBODY {
                return Attempt::Taken(place);
            }
            self.release_read(&place);
            return Attempt::MustWait(ticket);
        }
        Attempt::MustWait(ticket)
    }

    pub(crate) fn release_read(&self, place: &Place) {
        self.readers[place.index].header.owner.swap(NOBODY, Ordering::SeqCst);
        place.ledger.strike(place.entry);
        self.queue.wake_all();
    }

    /// Claims the lock for writing.
    pub(crate) fn attempt_claim(&self) -> Attempt<'_, Claim<'_>> {
        let ticket = self.queue.ticket();
        let ledger = cpu_local::ledger();
        let entry = ledger.enter(&self.writer);
        let mine = self.writer.owner.compare_exchange(NOBODY, ledger.owner(), Ordering::SeqCst, Ordering::Relaxed);
        if mine.is_ok() {
            return Attempt::Taken(Claim { core: self, ledger, entry, was_unwinding: fault_context::unwinding() });
        }
        ledger.strike(entry);
        Attempt::MustWait(ticket)
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.writer.is_poisoned()
    }

    pub(crate) fn clear_poison(&self) {
        self.writer.clear_poison();
    }
}

impl Claim<'_> {
    /// Whether the readers are gone.
    pub(crate) fn attempt_alone(&self) -> Attempt<'_, ()> {
        let ticket = self.core.queue.ticket();
        if self.core.readers.iter().all(|reader| reader.header.owner.load(Ordering::SeqCst) == NOBODY) {
            Attempt::Taken(())
        } else {
            Attempt::MustWait(ticket)
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.was_unwinding && fault_context::unwinding() {
            self.core.writer.poisoned.store(true, Ordering::Release);
        }
        self.core.writer.owner.swap(NOBODY, Ordering::SeqCst);
        self.ledger.strike(self.entry);
        self.core.queue.wake_all();
    }
}

/// What recovery calls for a writer whose guard was lost.
fn release_lost_writer(header: &LockHeader) {
    header.owner.swap(NOBODY, Ordering::SeqCst);
    // SAFETY: only the first field of a `Core` is made with this function.
    let core = unsafe { &*ptr::from_ref(header).cast::<Core>() };
    core.queue.wake_all();
}

/// What recovery calls for a reader whose guard was lost.
fn release_lost_reader(header: &LockHeader) {
    header.clear_poison();
    header.owner.swap(NOBODY, Ordering::SeqCst);
    // SAFETY: only the first field of a `Reader` is made with this function, and readers lie in the array of a
    // `Core` at their index.
    let core = unsafe {
        let reader = ptr::from_ref(header).cast::<Reader>();
        let offset = offset_of!(Core, readers) + (*reader).index * size_of::<Reader>();
        &*reader.byte_sub(offset).cast::<Core>()
    };
    core.queue.wake_all();
}
