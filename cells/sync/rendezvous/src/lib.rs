//! Channels without a buffer: sender and receiver meet. [`channel`] gives a [`Sender`] and a [`Receiver`], both can be
//! cloned.
//!
//! Guarantees: when [`Sender::send`] returns `Ok`, exactly one receiver has the message; when it fails, or its task
//! ends while it waits, no receiver has it and the message is the sender's. When all endpoints of one kind are gone, the
//! other side is told. The endpoints of a task that ends are gone with it, except those that a lost frame owned: these
//! leak, as everything does that was in it.
//!
//! Messages pass through one place in the channel, so a sender leaves nothing behind when its stack goes away. The
//! state machine is in `message`; waiting is inlined into the caller (see `wait_queue`).
#![no_std]

extern crate alloc;

mod meeting;

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;

use clock::Instant;
use meeting::{Buffer, Made, Meeting, Progress};
use message::InHand;
use wait_queue::Wait;

pub use message::{ReceiveError, SendError};

/// What the endpoints share. The place holds a message while one is on offer.
struct Shared<T> {
    meeting: Meeting,
    place: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the meeting gives the place to one task at a time, and the message in it goes from one task to another: it is `Send`.
unsafe impl<T: Send> Sync for Shared<T> {}
// SAFETY: as for `Sync`.
unsafe impl<T: Send> Send for Shared<T> {}

/// The sending end.
pub struct Sender<T: Send>(Arc<Shared<T>>);

/// The receiving end.
pub struct Receiver<T: Send>(Arc<Shared<T>>);

/// A channel with one endpoint of each kind.
pub fn channel<T: Send>() -> (Sender<T>, Receiver<T>) {
    let place = UnsafeCell::new(MaybeUninit::uninit());
    let shared = Arc::new(Shared { meeting: Meeting::new(), place });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<T> Shared<T> {
    /// The place, as the meeting knows it.
    #[inline(always)]
    fn place(&self) -> Buffer {
        Buffer { address: self.place.get().cast(), size: size_of::<T>() }
    }
}

/// A message on offer. If the task ends while it waits, the offer is withdrawn and the message dropped.
struct Offer<'a, T: Send> {
    shared: &'a Shared<T>,
    number: u64,
}

impl<T: Send> Offer<'_, T> {
    #[inline(always)]
    fn taken(self) {
        core::mem::forget(self);
    }

    /// Takes the message back, unless a receiver has taken it.
    fn withdraw(self) -> Option<T> {
        let (shared, number) = (self.shared, self.number);
        core::mem::forget(self);
        let mut message = MaybeUninit::<T>::uninit();
        // SAFETY: there is room for a message of this channel.
        let back = unsafe { shared.meeting.withdraw(number, shared.place(), message.as_mut_ptr().cast()) };
        // SAFETY: it was moved there.
        back.then(|| unsafe { message.assume_init() })
    }
}

impl<T: Send> Drop for Offer<'_, T> {
    fn drop(&mut self) {
        drop(Offer { shared: self.shared, number: self.number }.withdraw());
    }
}

impl<T: Send> Sender<T> {
    /// Sends `message`, waiting until a receiver has it.
    ///
    /// # Errors
    /// [`SendError::Disconnected`], with the message: no receiver is left.
    #[inline(always)]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.send_within(message, Wait::new())
    }

    /// Sends `message` if a receiver takes it before `deadline`.
    ///
    /// # Errors
    /// [`SendError`], with the message.
    #[inline(always)]
    pub fn send_until(&self, message: T, deadline: Instant) -> Result<(), SendError<T>> {
        self.send_within(message, Wait::within(Some(deadline)))
    }

    #[inline(always)]
    fn send_within<'a>(&'a self, message: T, mut wait: Wait<'a>) -> Result<(), SendError<T>> {
        let shared = &*self.0;
        // Dropped if the task ends before the message is on offer.
        let message = InHand::new(message);
        let (number, mut ticket) = loop {
            // SAFETY: the message is of this channel's type, and is given up once it is on offer.
            match unsafe { shared.meeting.offer(message.address(), shared.place()) } {
                Made::Offer(number, ticket) => break (number, ticket),
                Made::MustWait(_) if wait.is_over() => return Err(SendError::WouldWait(message.take_back())),
                Made::MustWait(ticket) => wait.park(ticket),
                Made::Disconnected => return Err(SendError::Disconnected(message.take_back())),
            }
        };
        message.give_up();
        let offer = Offer { shared, number };
        loop {
            wait.park(ticket);
            ticket = match shared.meeting.complete(number) {
                Progress::Taken => {
                    offer.taken();
                    return Ok(());
                }
                Progress::MustWait(ticket) => ticket,
                Progress::Disconnected => match offer.withdraw() {
                    Some(message) => return Err(SendError::Disconnected(message)),
                    None => return Ok(()),
                },
            };
            if wait.is_over() {
                return match offer.withdraw() {
                    Some(message) => Err(SendError::WouldWait(message)),
                    None => Ok(()),
                };
            }
        }
    }
}

impl<T: Send> Receiver<T> {
    /// Receives a message, waiting for a sender.
    ///
    /// # Errors
    /// [`ReceiveError::Disconnected`]: no sender is left, nor any message.
    #[inline(always)]
    pub fn receive(&self) -> Result<T, ReceiveError> {
        self.receive_within(Wait::new())
    }

    /// Receives a message if a sender comes before `deadline`.
    ///
    /// # Errors
    /// [`ReceiveError`].
    #[inline(always)]
    pub fn receive_until(&self, deadline: Instant) -> Result<T, ReceiveError> {
        self.receive_within(Wait::within(Some(deadline)))
    }

    /// Receives a message if one is on offer now.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub fn try_receive(&self) -> Result<T, ReceiveError> {
        let mut message = MaybeUninit::<T>::uninit();
        // SAFETY: there is room for a message of this channel.
        match unsafe { self.0.meeting.take(self.0.place(), message.as_mut_ptr().cast()) } {
            // SAFETY: a message was moved there.
            Progress::Taken => Ok(unsafe { message.assume_init() }),
            Progress::MustWait(_) => Err(ReceiveError::Empty),
            Progress::Disconnected => Err(ReceiveError::Disconnected),
        }
    }

    #[inline(always)]
    fn receive_within<'a>(&'a self, mut wait: Wait<'a>) -> Result<T, ReceiveError> {
        let shared = &*self.0;
        let mut message = MaybeUninit::<T>::uninit();
        loop {
            // SAFETY: as in `try_receive`.
            match unsafe { shared.meeting.take(shared.place(), message.as_mut_ptr().cast()) } {
                // SAFETY: a message was moved there.
                Progress::Taken => return Ok(unsafe { message.assume_init() }),
                Progress::MustWait(_) if wait.is_over() => return Err(ReceiveError::Empty),
                Progress::MustWait(ticket) => wait.park(ticket),
                Progress::Disconnected => return Err(ReceiveError::Disconnected),
            }
        }
    }
}

impl<T: Send> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.meeting.change_endpoints(|endpoints| endpoints.senders += 1);
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.0.meeting.change_endpoints(|endpoints| endpoints.receivers += 1);
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.meeting.change_endpoints(|endpoints| endpoints.senders -= 1);
    }
}

impl<T: Send> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.0.meeting.change_endpoints(|endpoints| endpoints.receivers -= 1);
    }
}

impl<T: Send> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T: Send> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}
