//! A message on its way into a channel or out of one: what both kinds of channel do with it, and why it may not pass.
//!
//! Guarantees: a message [`InHand`] is dropped once, unless it was given up or taken back. Nothing here can fail.
#![no_std]

mod errors;

pub use errors::{ReceiveError, SendError};

use core::mem::{self, ManuallyDrop};
use core::ptr;

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
