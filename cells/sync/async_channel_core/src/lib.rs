//! The bounded channel, for messages of any type: a ring of equally sized places, and two wait queues.
//!
//! Guarantees, to the generic wrapper `async_channel`: a message that was accepted is given out exactly once, in
//! order, or dropped with the channel; no attempt ever waits (it returns a ticket to park with), so no parked task
//! has a frame of this cell on its stack; each side learns when the other is gone. The state lies in the channel,
//! which its endpoints share: this cell has no static state, and a swap of it leaves the messages where they are.
//!
//! How it can fail: making a channel without room, too large, or when memory is short, gives [`CreateError`].
#![no_std]

extern crate alloc;

use alloc::alloc::{alloc, dealloc};
use alloc::sync::Arc;
use core::alloc::Layout;
use core::fmt;
use core::ptr::NonNull;

use cpu_local::{InterruptGuard, PreemptGuard};
use message::{Ring, Step, move_bytes};
use spin_lock::SpinLock;
use wait_queue::{Ticket, WaitQueue};

/// Why there is no channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateError {
    /// A bounded channel needs room for one message at least.
    NoCapacity,
    /// The buffer would be larger than memory can be.
    TooLarge,
    /// There is no memory for the buffer of this many bytes.
    OutOfMemory(usize),
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCapacity => f.write_str("a bounded channel needs room for at least one message"),
            Self::TooLarge => f.write_str("the channel's buffer would exceed the address space"),
            Self::OutOfMemory(bytes) => write!(f, "no memory for a channel buffer of {bytes} bytes"),
        }
    }
}

impl core::error::Error for CreateError {}

/// What became of an attempt.
#[derive(Debug)]
#[must_use = "the message may not have been moved"]
pub enum Attempt<'a> {
    /// The message was moved.
    Done,
    /// There was no room, or no message: park, and try again.
    MustWait(Ticket<'a>),
    /// No endpoint is left on the other side, and no message of it.
    Disconnected,
}

/// How messages lie in the buffer and are dropped.
#[derive(Debug, Clone, Copy)]
pub struct Message {
    /// Size and alignment of one message.
    pub layout: Layout,
    /// Drops one in place.
    pub drop: unsafe fn(*mut u8),
}

/// A channel, shared by its endpoints.
#[derive(Debug)]
pub struct Core {
    ring: SpinLock<Ring>,
    message: Message,
    buffer: NonNull<u8>,
    allocated: Layout,
    not_empty: WaitQueue,
    not_full: WaitQueue,
}

// SAFETY: each place is read and written under the ring's lock, by the task to which the ring gave it. The messages in it may be
// used on every CPU, as the contract of `Core::send` says.
unsafe impl Sync for Core {}
// SAFETY: the buffer belongs to the channel, and the messages in it may go to other tasks, as for `Sync`.
unsafe impl Send for Core {}

impl Core {
    /// A channel with one endpoint of each kind.
    ///
    /// # Errors
    /// There is no capacity, or no memory for so much.
    pub fn create(message: Message, capacity: usize) -> Result<Arc<Self>, CreateError> {
        if capacity == 0 {
            return Err(CreateError::NoCapacity);
        }
        let bytes = message.layout.size().checked_mul(capacity).ok_or(CreateError::TooLarge)?;
        let allocated = Layout::from_size_align(bytes, message.layout.align()).map_err(|_| CreateError::TooLarge)?;
        let buffer = if bytes == 0 {
            allocated.dangling_ptr()
        } else {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { alloc(allocated) }).ok_or(CreateError::OutOfMemory(bytes))?
        };
        Ok(Arc::new(Self {
            ring: SpinLock::new(Ring::new(capacity)),
            message,
            buffer,
            allocated,
            not_empty: WaitQueue::new(),
            not_full: WaitQueue::new(),
        }))
    }

    fn place(&self, index: usize) -> *mut u8 {
        // SAFETY: the ring gives indices below the capacity that the buffer was made for.
        unsafe { self.buffer.as_ptr().add(index * self.message.layout.size()) }
    }

    /// Tries to move the message at `source` into the channel.
    ///
    /// # Safety
    /// A message of this channel's type lies there, which is `Send`. The channel owns it if, and only if, this returns
    /// [`Attempt::Done`].
    pub unsafe fn send(&self, source: *const u8) -> Attempt<'_> {
        let ticket = self.not_full.ticket();
        // The sender must not be ended between the change and the wake-up.
        let irq_off = InterruptGuard::new();
        let length = {
            let mut ring = self.ring.lock_irq_off(&irq_off);
            match ring.push() {
                // SAFETY: the place is free and large enough, and the ring gave it to this call only.
                Step::Place(index) => unsafe { move_bytes(source, self.place(index), self.message.layout.size()) },
                Step::Wait => return Attempt::MustWait(ticket),
                Step::Disconnected => return Attempt::Disconnected,
            }
            ring.len()
        };
        wake_after_send(&self.not_empty, length, &irq_off);
        Attempt::Done
    }

    /// Tries to move the oldest message to `target`.
    ///
    /// # Safety
    /// There is room for a message. If this returns [`Attempt::Done`], the caller owns one there.
    pub unsafe fn receive(&self, target: *mut u8) -> Attempt<'_> {
        let ticket = self.not_empty.ticket();
        // As in `send`.
        let irq_off = InterruptGuard::new();
        let (length, capacity) = {
            let mut ring = self.ring.lock_irq_off(&irq_off);
            match ring.pop() {
                // SAFETY: the place holds a message, which the ring gave to this call only.
                Step::Place(index) => unsafe { move_bytes(self.place(index), target, self.message.layout.size()) },
                Step::Wait => return Attempt::MustWait(ticket),
                Step::Disconnected => return Attempt::Disconnected,
            }
            (ring.len(), ring.capacity())
        };
        wake_after_receive(&self.not_full, length, capacity, &irq_off);
        Attempt::Done
    }

    /// Messages in flight.
    pub fn len(&self) -> usize {
        self.ring.lock().len()
    }

    /// Whether none is in flight.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many can be in flight.
    pub fn capacity(&self) -> usize {
        self.ring.lock().capacity()
    }

    /// Counts one more sender.
    pub fn add_sender(&self) {
        self.ring.lock().endpoints.senders += 1;
    }

    /// Counts one sender less. The last one lets the receivers go.
    pub fn remove_sender(&self) {
        // The task must not be ended here before the wake-ups are out.
        let _stay = PreemptGuard::new();
        let left = {
            let mut ring = self.ring.lock();
            ring.endpoints.senders -= 1;
            ring.endpoints.senders
        };
        if left == 0 {
            self.not_empty.wake_all();
        }
    }

    /// Counts one more receiver.
    pub fn add_receiver(&self) {
        self.ring.lock().endpoints.receivers += 1;
    }

    /// Counts one receiver less. The last one lets the senders go.
    pub fn remove_receiver(&self) {
        // As in `remove_sender`.
        let _stay = PreemptGuard::new();
        let left = {
            let mut ring = self.ring.lock();
            ring.endpoints.receivers -= 1;
            ring.endpoints.receivers
        };
        if left == 0 {
            self.not_full.wake_all();
        }
    }

    /// The queue in which receivers wait, for a task that waits for several things.
    pub fn not_empty(&self) -> &WaitQueue {
        &self.not_empty
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        while let Step::Place(index) = self.ring.get_mut().pop() {
            // SAFETY: the place holds a message, and the channel has no endpoint any more that could take it.
            unsafe { (self.message.drop)(self.place(index)) };
        }
        if self.allocated.size() != 0 {
            // SAFETY: allocated in `create` with this layout.
            unsafe { dealloc(self.buffer.as_ptr(), self.allocated) };
        }
    }
}

/// Wakes one receiver for each message that goes in; `_length` of them are in flight now.
fn wake_after_send(receivers: &WaitQueue, _length: usize, irq_off: &InterruptGuard) {
    receivers.wake_one_irq_off(irq_off);
}

/// Wakes one sender for each message that comes out; `_length` of at most `_capacity` are in flight now.
fn wake_after_receive(senders: &WaitQueue, _length: usize, _capacity: usize, irq_off: &InterruptGuard) {
    senders.wake_one_irq_off(irq_off);
}
