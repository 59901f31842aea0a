//! Bounded channels between tasks: [`channel`] gives a [`Sender`] and a [`Receiver`], both can be cloned.
//!
//! Guarantees: every message that was sent is received once, in the order of sending, or dropped with the channel.
//! [`Sender::send`] waits only for room, [`Receiver::receive`] only for a message. When all endpoints of one kind
//! are gone the other side is told: receivers after they have received what is left, senders at once, with their
//! message back. The endpoints of a task that ends are gone with it, except those that a lost frame owned: these leak, as
//! everything does that was in it.
//!
//! A thin wrapper: it gives messages their type. All else is in `async_channel_core`, except waiting itself, which is
//! inlined into the caller (see `wait_queue`).
#![no_std]

extern crate alloc;

use alloc::sync::Arc;
use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

use async_channel_core::{Attempt, Core, Message};
use clock::Instant;
use message::InHand;
use wait_queue::Wait;

pub use async_channel_core::CreateError;
pub use message::{ReceiveError, SendError};

/// What both endpoints are to the compiler: users of messages of exactly this type. If one could be taken for an endpoint
/// of messages that live longer, the channel could outlive what lies in it.
type Messages<T> = PhantomData<fn(T) -> T>;

/// The sending end.
pub struct Sender<T: Send> {
    core: Arc<Core>,
    messages: Messages<T>,
}

/// The receiving end.
pub struct Receiver<T: Send> {
    core: Arc<Core>,
    messages: Messages<T>,
}

unsafe fn drop_message<T>(message: *mut u8) {
    // SAFETY: the core calls this with a message of the type that the channel was made for.
    unsafe { message.cast::<T>().drop_in_place() };
}

/// A channel in which `capacity` messages can be in flight.
///
/// # Errors
/// [`CreateError`]: there is no capacity, or no memory for so much.
pub fn channel<T: Send>(capacity: usize) -> Result<(Sender<T>, Receiver<T>), CreateError> {
    let message = Message { layout: Layout::new::<T>(), drop: drop_message::<T> };
    let core = Core::create(message, capacity)?;
    let sender = Sender { core: Arc::clone(&core), messages: PhantomData };
    Ok((sender, Receiver { core, messages: PhantomData }))
}

impl<T: Send> Sender<T> {
    /// Sends `message`, waiting for room.
    ///
    /// # Errors
    /// [`SendError::Disconnected`], with the message: no receiver is left.
    #[inline(always)]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.send_within(message, Wait::new())
    }

    /// Sends `message` if there is room by `deadline`.
    ///
    /// # Errors
    /// [`SendError`], with the message.
    #[inline(always)]
    pub fn send_until(&self, message: T, deadline: Instant) -> Result<(), SendError<T>> {
        self.send_within(message, Wait::within(Some(deadline)))
    }

    #[inline(always)]
    fn send_within<'a>(&'a self, message: T, mut wait: Wait<'a>) -> Result<(), SendError<T>> {
        let message = InHand::new(message);
        loop {
            // SAFETY: the message is of the channel's type and is given up once it is the channel's.
            match unsafe { self.core.send(message.address()) } {
                Attempt::Done => {
                    message.give_up();
                    return Ok(());
                }
                Attempt::MustWait(_) if wait.is_over() => return Err(SendError::WouldWait(message.take_back())),
                Attempt::MustWait(ticket) => wait.park(ticket),
                Attempt::Disconnected => return Err(SendError::Disconnected(message.take_back())),
            }
        }
    }

    /// Sends `message` if there is room now. Never waits, so interrupt handlers may call it.
    ///
    /// # Errors
    /// [`SendError`], with the message.
    pub fn try_send(&self, message: T) -> Result<(), SendError<T>> {
        let message = InHand::new(message);
        // SAFETY: as in `send_within`.
        match unsafe { self.core.send(message.address()) } {
            Attempt::Done => {
                message.give_up();
                Ok(())
            }
            Attempt::MustWait(_) => Err(SendError::WouldWait(message.take_back())),
            Attempt::Disconnected => Err(SendError::Disconnected(message.take_back())),
        }
    }

    /// Messages in flight.
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// Whether none is in flight.
    pub fn is_empty(&self) -> bool {
        self.core.is_empty()
    }
}

impl<T: Send> Receiver<T> {
    /// Receives a message, waiting for it.
    ///
    /// # Errors
    /// [`ReceiveError::Disconnected`]: no sender is left, nor any message.
    #[inline(always)]
    pub fn receive(&self) -> Result<T, ReceiveError> {
        self.receive_within(Wait::new())
    }

    /// Receives a message if there is one by `deadline`.
    ///
    /// # Errors
    /// [`ReceiveError`].
    #[inline(always)]
    pub fn receive_until(&self, deadline: Instant) -> Result<T, ReceiveError> {
        self.receive_within(Wait::within(Some(deadline)))
    }

    #[inline(always)]
    fn receive_within<'a>(&'a self, mut wait: Wait<'a>) -> Result<T, ReceiveError> {
        let mut message = MaybeUninit::<T>::uninit();
        loop {
            // SAFETY: there is room for a message of the channel's type.
            match unsafe { self.core.receive(message.as_mut_ptr().cast()) } {
                // SAFETY: a message was moved there.
                Attempt::Done => return Ok(unsafe { message.assume_init() }),
                Attempt::MustWait(_) if wait.is_over() => return Err(ReceiveError::Empty),
                Attempt::MustWait(ticket) => wait.park(ticket),
                Attempt::Disconnected => return Err(ReceiveError::Disconnected),
            }
        }
    }

    /// Receives a message if there is one now.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub fn try_receive(&self) -> Result<T, ReceiveError> {
        let mut message = MaybeUninit::<T>::uninit();
        // SAFETY: as in `receive_within`.
        match unsafe { self.core.receive(message.as_mut_ptr().cast()) } {
            // SAFETY: a message was moved there.
            Attempt::Done => Ok(unsafe { message.assume_init() }),
            Attempt::MustWait(_) => Err(ReceiveError::Empty),
            Attempt::Disconnected => Err(ReceiveError::Disconnected),
        }
    }

    /// Messages in flight.
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// Whether none is in flight.
    pub fn is_empty(&self) -> bool {
        self.core.is_empty()
    }
}

impl<T: Send> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.core.add_sender();
        Self { core: Arc::clone(&self.core), messages: PhantomData }
    }
}

impl<T: Send> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.core.add_receiver();
        Self { core: Arc::clone(&self.core), messages: PhantomData }
    }
}

impl<T: Send> Drop for Sender<T> {
    fn drop(&mut self) {
        self.core.remove_sender();
    }
}

impl<T: Send> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.core.remove_receiver();
    }
}

impl<T: Send> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({} in flight)", self.len())
    }
}

impl<T: Send> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({} in flight)", self.len())
    }
}
