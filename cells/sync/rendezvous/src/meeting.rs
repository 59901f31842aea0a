//! The channel for messages of any type: its state, its wait queues, and the moves of the bytes. Nothing here waits.

use core::sync::atomic::{AtomicU64, Ordering};

use cpu_local::{InterruptGuard, PreemptGuard};
use message::{Completion, Endpoints, Offer, Rendezvous, Take, move_bytes};
use spin_lock::SpinLock;
use wait_queue::{Ticket, WaitQueue};

/// Where a message on offer lies.
#[derive(Clone, Copy)]
pub(crate) struct Buffer {
    pub(crate) address: *mut u8,
    pub(crate) size: usize,
}

// Interrupts or preemption are off from a change of the state until the wake-up is out: a task that was ended in between would
// take the wake-up with it.

/// What became of an attempt to offer.
pub(crate) enum Made<'a> {
    /// The message is on offer; the ticket is stale as soon as it is taken.
    Offer(u64, Ticket<'a>),
    /// Another message is on offer: park, and try again.
    MustWait(Ticket<'a>),
    /// No receiver is left.
    Disconnected,
}

/// What became of an attempt to take, or of an offer.
pub(crate) enum Progress<'a> {
    /// The message was taken.
    Taken,
    /// Not yet: park, and ask again.
    MustWait(Ticket<'a>),
    /// The other side is gone.
    Disconnected,
}

pub(crate) struct Meeting {
    state: SpinLock<Rendezvous>,
    /// The number of the latest offer that was taken, so that its sender need not lock to know.
    latest_taken: AtomicU64,
    /// Receivers that wait for an offer.
    offers: WaitQueue,
    /// The sender that waits for its offer to be taken.
    taken: WaitQueue,
    /// Senders that wait for another offer to be over.
    free: WaitQueue,
}

impl Meeting {
    pub(crate) const fn new() -> Self {
        Self {
            state: SpinLock::new(Rendezvous::new()),
            latest_taken: AtomicU64::new(0),
            offers: WaitQueue::new(),
            taken: WaitQueue::new(),
            free: WaitQueue::new(),
        }
    }

    /// Tries to move the message at `source` to the place.
    ///
    /// # Safety
    /// A message of the channel's type lies at `source`, which is `Send`. The caller gives it up if this returns
    /// [`Made::Offer`]. The place is this channel's.
    pub(crate) unsafe fn offer(&self, source: *const u8, place: Buffer) -> Made<'_> {
        let (busy, taken) = (self.free.ticket(), self.taken.ticket());
        let irq_off = InterruptGuard::new();
        let number = {
            let mut state = self.state.lock_irq_off(&irq_off);
            match state.offer() {
                Offer::Made(number) => {
                    // SAFETY: nothing was on offer, so the place is free; the lock keeps others away.
                    unsafe { move_bytes(source, place.address, place.size) };
                    number
                }
                Offer::Busy => return Made::MustWait(busy),
                Offer::Disconnected => return Made::Disconnected,
            }
        };
        self.offers.wake_one_irq_off(&irq_off);
        Made::Offer(number, taken)
    }

    /// Asks after the offer `number`.
    pub(crate) fn complete(&self, number: u64) -> Progress<'_> {
        if self.latest_taken.load(Ordering::Acquire) >= number {
            return Progress::Taken;
        }
        let ticket = self.taken.ticket();
        let completion = self.state.lock().complete(number);
        match completion {
            Completion::Taken => Progress::Taken,
            Completion::Pending => Progress::MustWait(ticket),
            Completion::Withdrawn => Progress::Disconnected,
        }
    }

    /// Takes the offer `number` back: `true` if the message is at `target` now.
    ///
    /// # Safety
    /// The offer is the caller's, and asked after for the last time; there is room at `target`.
    pub(crate) unsafe fn withdraw(&self, number: u64, place: Buffer, target: *mut u8) -> bool {
        let irq_off = InterruptGuard::new();
        let mut state = self.state.lock_irq_off(&irq_off);
        if !state.withdraw(number) {
            return false;
        }
        // SAFETY: the message was not taken, and the offer is over, so it lies in the place and belongs to this call.
        unsafe { move_bytes(place.address, target, place.size) };
        drop(state);
        self.free.wake_one_irq_off(&irq_off);
        true
    }

    /// Tries to move the message on offer to `target`.
    ///
    /// # Safety
    /// There is room for a message; if this is [`Progress::Taken`] the caller owns one there.
    pub(crate) unsafe fn take(&self, place: Buffer, target: *mut u8) -> Progress<'_> {
        let ticket = self.offers.ticket();
        let irq_off = InterruptGuard::new();
        {
            let mut state = self.state.lock_irq_off(&irq_off);
            match state.take() {
                // SAFETY: a message was on offer, so it lies in the place, and the state gave it to this call only.
                Take::Taken(number) => unsafe {
                    move_bytes(place.address, target, place.size);
                    self.latest_taken.store(number, Ordering::Release);
                },
                Take::Empty => return Progress::MustWait(ticket),
                Take::Disconnected => return Progress::Disconnected,
            }
        }
        self.taken.wake_one_irq_off(&irq_off);
        self.free.wake_one_irq_off(&irq_off);
        Progress::Taken
    }

    /// An endpoint came or went; when the last of a kind goes, all are to know.
    pub(crate) fn change_endpoints(&self, change: fn(&mut Endpoints)) {
        let _stay = PreemptGuard::new();
        let left = {
            let mut state = self.state.lock();
            change(&mut state.endpoints);
            state.endpoints
        };
        if left.senders == 0 {
            self.offers.wake_all();
        }
        if left.receivers == 0 {
            self.taken.wake_all();
            self.free.wake_all();
        }
    }
}
