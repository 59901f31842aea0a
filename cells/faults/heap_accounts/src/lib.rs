//! The bytes of the heap that each task took and that are not freed.
//!
//! The heap writes into each block on which [`Account`] it is. When the block is freed, by any task, its bytes go off that
//! account. Guarantees: the bytes on an account are, to the byte, those of the blocks that its holder took and that are not
//! freed; an account that is opened has none. Charging and discharging are one addition each, take no lock and cannot fail.
//!
//! There is one account for each place, which counts how often it was opened: a block of an earlier holder is told from those of
//! the present one. The count has 24 bits, so a block is mistaken only if its place was opened again 16 million times since.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many accounts there can be at a time.
pub const PLACES: usize = 4096;

/// Bits of an entry for the bytes, and of an account's number for its place. The rest says how often the place was opened.
const BYTE_BITS: u32 = 40;

/// The entry of an account without bytes: half of the greatest number, so that bytes that are taken off before others are put on
/// do not borrow from the count.
const NO_BYTES: u64 = 1 << (BYTE_BITS - 1);

static ENTRIES: [AtomicU64; PLACES] = [const { AtomicU64::new(1 << BYTE_BITS | NO_BYTES) }; PLACES];

/// The account of a block. Its number is not one that could be mistaken for an address of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Account(u64);

impl Account {
    /// The number in free memory, which is cleared. This account is never open.
    pub const FREE: Self = Self(0);

    /// The account of code that runs before there are tasks. Nothing is counted on it: its place is never opened so often.
    pub const NOBODY: Self = Self(0x7f_ffff << BYTE_BITS);

    /// Opens an account at `place`, below [`PLACES`]. The account that had the place before is closed.
    pub fn open(place: usize) -> Self {
        let place = place % PLACES;
        let opened = |entry: u64| (entry >> BYTE_BITS).wrapping_add(1) << BYTE_BITS;
        // It always takes the new value, so that both arms are the old one.
        let renew = |entry| Some(opened(entry) | NO_BYTES);
        let (Ok(before) | Err(before)) = ENTRIES[place].fetch_update(Relaxed, Relaxed, renew);
        Self(opened(before) | place as u64)
    }

    /// The account with this number, as a block has it.
    #[inline]
    pub const fn of_number(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[inline]
    pub const fn number(self) -> u64 {
        self.0
    }

    #[inline]
    fn entry(self) -> &'static AtomicU64 {
        #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are what is wanted")]
        let place = self.0 as usize % PLACES;
        &ENTRIES[place]
    }

    #[inline]
    fn is_that_of(self, entry: u64) -> bool {
        (entry ^ self.0) >> BYTE_BITS == 0
    }

    /// Puts bytes on it, which its holder takes: so it is open.
    #[inline]
    pub fn charge(self, bytes: usize) {
        self.entry().fetch_add(bytes as u64, Relaxed);
    }

    /// Takes bytes off it, which were put on. Whether it is open; if not, the place is another's now, and the caller
    /// calls [`undo`](Self::undo).
    #[inline]
    #[must_use = "an account that is not open has another's bytes"]
    pub fn discharge(self, bytes: usize) -> bool {
        self.is_that_of(self.entry().fetch_sub(bytes as u64, Relaxed))
    }

    /// Undoes a [`discharge`](Self::discharge) that found the account closed.
    pub fn undo(self, bytes: usize) {
        self.charge(bytes);
    }

    /// Bytes that are on it; none if its place has been opened again.
    pub fn bytes(self) -> u64 {
        let entry = self.entry().load(Relaxed);
        if self.is_that_of(entry) { (entry & (2 * NO_BYTES - 1)).saturating_sub(NO_BYTES) } else { 0 }
    }
}

#[cfg(test)]
mod tests;
