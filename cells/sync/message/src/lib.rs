//! A message on its way through a channel: where it may go next, how it is moved, and why it may not pass.
//!
//! Guarantees, to the cells of both kinds of channels, which call the bookkeeping ([`Ring`], [`Rendezvous`]) under a lock: a
//! message that was accepted is given out exactly once or, in a rendezvous, exactly once given back; messages of a bounded
//! channel come out in the order in which they went in; a side is told that the other is gone only when nothing is left for it.
//! A message [`InHand`] is dropped once, unless it was given up or taken back. Nothing here can fail.
#![cfg_attr(not(test), no_std)]

mod errors;
mod rendezvous;
mod ring;

pub use errors::{ReceiveError, SendError};
pub use rendezvous::{Completion, Offer, Rendezvous, Take};
pub use ring::{Ring, Step};

use core::mem::{self, ManuallyDrop};
use core::ptr;

/// How many endpoints of each kind a channel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// Sending ones.
    pub senders: u32,
    /// Receiving ones.
    pub receivers: u32,
}

impl Endpoints {
    /// One of each: a new channel.
    pub const PAIR: Self = Self { senders: 1, receivers: 1 };
}

/// A message that is dropped if the task ends while it waits, and not once it is the channel's.
#[derive(Debug)]
pub struct InHand<T>(ManuallyDrop<T>);

impl<T> InHand<T> {
    /// The message of a sender, not sent yet.
    #[inline(always)]
    pub fn new(message: T) -> Self {
        Self(ManuallyDrop::new(message))
    }

    /// Where its bytes lie, for a channel that knows no types.
    #[inline(always)]
    pub fn address(&self) -> *const u8 {
        (&raw const self.0).cast()
    }

    /// The message is the channel's.
    #[inline(always)]
    pub fn give_up(self) {
        mem::forget(self);
    }

    /// The message, which was not sent.
    #[inline(always)]
    pub fn take_back(self) -> T {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped and not used again.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }
}

impl<T> Drop for InHand<T> {
    fn drop(&mut self) {
        // SAFETY: neither given up nor taken back, so the message is still here.
        unsafe { ManuallyDrop::drop(&mut self.0) };
    }
}

/// Moves the bytes of a message. Most are a word or less, for which a call of `memcpy` costs more than the move.
///
/// # Safety
/// As for `ptr::copy_nonoverlapping`.
#[inline]
pub unsafe fn move_bytes(source: *const u8, target: *mut u8, size: usize) {
    // SAFETY: the caller's promise; the alignment of a message may be 1, hence the unaligned accesses.
    unsafe {
        match size {
            8 => target.cast::<u64>().write_unaligned(source.cast::<u64>().read_unaligned()),
            1 => target.write(source.read()),
            _ => ptr::copy_nonoverlapping(source, target, size),
        }
    }
}

#[cfg(test)]
mod tests;
