//! From an address in text to the frame entry that describes it, for the unwinder and for stack checks.
//!
//! Guarantees: [`find`] and [`entry`] take no lock, allocate nothing and never wait, so they may be called in any context,
//! also by a task that faulted while it held every lock there is. A range that was registered is found from
//! then on; after its [`Registration`] is dropped it is found no more, and its entries are freed once no reader
//! can still be looking at them. The sections of the ranges are not kept by readers: the caller of [`find`] promises that
//! the text is not unloaded meanwhile.
//!
//! Can fail: registering, when the table is full or the bytes are no frame section ([`TableError`]). A reader
//! that is lost in the middle of [`find`] (its CPU died) only keeps dropped entries from being freed.
#![cfg_attr(not(test), no_std)]
extern crate alloc;

mod entries;
mod slots;

pub use entries::frame_entries;
pub use slots::{Registration, entry, find, register, registered, table};

use core::fmt;

/// Where one function's frame description lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameEntry {
    /// The first address that the description covers.
    pub start: u64,
    /// How many bytes of text it covers.
    pub length: u32,
    /// Offset of the description from the start of its cell's `.eh_frame`.
    pub fde_offset: u32,
    /// Its function is async-cancel-safe: it can have changed no value of its callers. The build found it to be of safe code
    /// and lent nothing else.
    pub is_async_cancel_safe: bool,
}

impl FrameEntry {
    /// The first address behind the described text.
    #[inline]
    pub const fn end(&self) -> u64 {
        self.start + self.length as u64
    }

    /// Whether the description covers `address`.
    #[inline]
    pub const fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.start) < self.length as u64
    }
}

/// A range of text addresses, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextRange {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
}

/// The answer of [`find`]: the entry, and the section in which its description lies.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// The entry that covers the address.
    pub entry: FrameEntry,
    /// The relocated `.eh_frame` of its cell, where it lies in memory.
    pub eh_frame: &'static [u8],
}

/// Why frame information was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableError {
    /// All slots are taken; the capacity is in the value.
    Full(usize),
    /// The text range is empty or reversed.
    EmptyRange(TextRange),
    /// The entry at this index starts before the one in front of it, or overlaps it.
    Unsorted(usize),
    /// The bytes at this offset are no frame description.
    Malformed {
        /// Offset in the section.
        offset: usize,
        /// The parser's error.
        cause: gimli::Error,
    },
    /// A description is of text that is not in the range.
    Outside {
        /// The first address that it covers.
        start: u64,
    },
    /// A description covers more text, or lies further in, than an entry can say.
    TooLarge {
        /// The first address that it covers.
        start: u64,
    },
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(capacity) => write!(f, "all {capacity} slots for text ranges are taken"),
            Self::EmptyRange(range) => write!(f, "text range {:#x}..{:#x} is empty", range.start, range.end),
            Self::Unsorted(index) => write!(f, "frame entry {index} is out of order"),
            Self::Malformed { offset, cause } => write!(f, "no frame description at {offset:#x}: {cause}"),
            Self::Outside { start } => write!(f, "the frame description for {start:#x} is of other text"),
            Self::TooLarge { start } => write!(f, "the frame description for {start:#x} is too large"),
        }
    }
}

impl core::error::Error for TableError {}
