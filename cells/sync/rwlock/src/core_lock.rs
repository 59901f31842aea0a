//! The lock without its data.
//!
//! A writer first *claims* the lock, which keeps new readers and other writers out, and then waits until the readers
//! are gone. Each reader takes a place of its own, a lock header, so that its ledger can name it.

use core::cell::Cell;
use core::mem::{offset_of, size_of};
use core::ptr;
use core::sync::atomic::Ordering;

use cpu_local::PreemptGuard;
use fault_context::FaultKind;
use lock_ledger::{Entry, Ledger, LockHeader, NOBODY};
use task_core::TaskId;
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
pub(crate) struct ReaderHold {
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
    /// The readers were seen to be gone: the data may have been changed.
    alone: Cell<bool>,
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
    pub(crate) fn attempt_read(&self) -> Attempt<'_, ReaderHold> {
        let ticket = self.queue.ticket();
        let ledger = cpu_local::ledger();
        let writer = self.writer.owner.load(Ordering::SeqCst);
        if writer != NOBODY {
            self.wait_for(writer, ledger.owner());
            return Attempt::MustWait(ticket);
        }
        for reader in &self.readers {
            if reader.header.owner.load(Ordering::Relaxed) != NOBODY {
                continue;
            }
            // SAFETY: the entry is struck below, or by the guard, which is made of it and borrows the lock. After the guard was
            // lost or forgotten the header names its owner, so dropping the lock strikes it.
            let entry = unsafe { ledger.enter(&reader.header) };
            let place = ReaderHold { index: reader.index, ledger, entry };
            let mine =
                reader.header.owner.compare_exchange(NOBODY, ledger.owner(), Ordering::SeqCst, Ordering::Relaxed);
            if mine.is_err() {
                ledger.strike(place.entry);
                continue;
            }
            // First the place, then the look for a writer; `Claim::attempt_alone` looks for readers after the claim
            // (docs/memory-order.md, 5).
            let writer = self.writer.owner.load(Ordering::SeqCst);
            if writer == NOBODY {
                task_core::give_up_waiting();
                return Attempt::Taken(place);
            }
            self.release_read(&place);
            self.wait_for(writer, ledger.owner());
            return Attempt::MustWait(ticket);
        }
        Attempt::MustWait(ticket)
    }

    pub(crate) fn release_read(&self, place: &ReaderHold) {
        // The reader must not be ended between its release and the wake-ups.
        let _stay = PreemptGuard::new();
        self.readers[place.index].header.owner.swap(NOBODY, Ordering::SeqCst);
        place.ledger.strike(place.entry);
        self.queue.wake_all();
    }

    /// Claims the lock for writing.
    pub(crate) fn attempt_claim(&self) -> Attempt<'_, Claim<'_>> {
        let ticket = self.queue.ticket();
        let ledger = cpu_local::ledger();
        // SAFETY: as in `attempt_read`.
        let entry = unsafe { ledger.enter(&self.writer) };
        let mine = self.writer.owner.compare_exchange(NOBODY, ledger.owner(), Ordering::SeqCst, Ordering::Relaxed);
        match mine {
            Ok(_) => {
                task_core::give_up_waiting();
                let was_unwinding = fault_context::unwinding();
                Attempt::Taken(Claim { core: self, ledger, entry, was_unwinding, alone: Cell::new(false) })
            }
            Err(writer) => {
                ledger.strike(entry);
                self.wait_for(writer, ledger.owner());
                Attempt::MustWait(ticket)
            }
        }
    }

    /// Notes the task `holder`, for which the running task, `waiter`, is about to wait. Panics if both are the same.
    #[cold]
    fn wait_for(&self, holder: u64, waiter: u64) {
        if holder == waiter {
            fault_context::declare(FaultKind::Deadlock);
            panic!("this task already holds the lock at {self:p}");
        }
        if let Some(current) = task_core::current() {
            current.set_waits_for(TaskId::new(holder));
        }
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
        // The claim came first: the counterpart of `Core::attempt_read` (docs/memory-order.md, 5).
        let mut readers = self.core.readers.iter().map(|reader| reader.header.owner.load(Ordering::SeqCst));
        // One after the other: each that leaves wakes this task, which then waits for the next.
        match readers.find(|&reader| reader != NOBODY) {
            Some(reader) => {
                self.core.wait_for(reader, self.ledger.owner());
                Attempt::MustWait(ticket)
            }
            None => {
                task_core::give_up_waiting();
                self.alone.set(true);
                Attempt::Taken(())
            }
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if self.alone.get() && !self.was_unwinding && fault_context::unwinding() {
            self.core.writer.poisoned.store(true, Ordering::Release);
        }
        // As in `release_read`.
        let _stay = PreemptGuard::new();
        self.core.writer.owner.swap(NOBODY, Ordering::SeqCst);
        self.ledger.strike(self.entry);
        self.core.queue.wake_all();
    }
}

/// Recovery calls this for a writer that has lost its guard.
fn release_lost_writer(header: &LockHeader) {
    header.owner.swap(NOBODY, Ordering::SeqCst);
    // SAFETY: only the first field of a `Core` is made with this function.
    let core = unsafe { &*ptr::from_ref(header).cast::<Core>() };
    core.queue.wake_all();
}

/// Recovery calls this for a reader that has lost its guard.
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
