//! The names of an address.

use alloc::{string::String, sync::Arc};
use core::fmt;

use mapping::{InUse, MappedPages};

use crate::state;

/// The names of an address. Copied, so that it can be kept without the namespace; no allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Location {
    cell: ShortText<64>,
    symbol: ShortText<256>,
    /// Distance from the function's first byte; from the start of the segment where no function is known.
    pub offset: u64,
}

/// Text of at most `N` bytes; the end of a longer one is cut off.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ShortText<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> ShortText<N> {
    fn new(text: &str) -> Self {
        let mut length = text.len().min(N);
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        let mut bytes = [0; N];
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        Self { bytes, length }
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Location {
    /// The cell.
    #[must_use]
    pub fn cell(&self) -> &str {
        self.cell.as_str()
    }

    /// Mangled name of the function; empty for an address in no function.
    #[must_use]
    pub fn symbol(&self) -> &str {
        self.symbol.as_str()
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}+{:#x}", self.cell(), self.symbol(), self.offset)
    }
}

/// The names of `address`: of the cell, and of the function if it is text. Allocates nothing, and waits some milliseconds at
/// most for another CPU that is changing the namespace; `None` also if the lock cannot be had.
#[must_use]
pub fn location_of(address: u64) -> Option<Location> {
    state::try_look(|state| {
        // Tasks may still stand in text of replaced cells.
        let known = state.cells.values().chain(state.retired_cells.values()).find_map(|cell| {
            let segment = cell.segment_of(address)?;
            let (symbol, offset) = match cell.function_at(address) {
                Some((symbol, _, offset)) => (symbol, offset),
                None => ("", address - cell.range(segment).start),
            };
            Some(Location { cell: ShortText::new(&cell.entry.name), symbol: ShortText::new(symbol), offset })
        });
        // A swap hands state over to cells that are not in the tables yet.
        known.or_else(|| {
            state.pending_cells().iter().find_map(|pending| {
                let (symbol, _, offset) = pending.function_at(address)?;
                Some(Location { cell: ShortText::new(pending.name()), symbol: ShortText::new(symbol), offset })
            })
        })
    })
    .flatten()
}

/// The static at `address`: its cell and its mangled name, which is empty for a part of the data that has none.
#[must_use]
pub fn static_at(address: u64) -> Option<(String, String)> {
    state::look(|state| {
        let here = |pages: &Arc<MappedPages<InUse>>| {
            let start = pages.start().as_u64();
            (start..start + pages.len() as u64).contains(&address)
        };
        let cell = state.cells.values().find(|cell| cell.segments.data.iter().any(here))?;
        let name = cell.static_at(address).unwrap_or_default();
        Some((cell.entry.name.clone(), name))
    })
    .flatten()
}
