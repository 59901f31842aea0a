//! Replaced cells, until nothing refers to them any more.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::ops::Range;

use linker::CellId;
use manifest::CellEntry;
use mapping::MappedPages;

use super::addresses;
use crate::{cell::Cell, state};

/// A replaced cell that is no longer in the namespace. Its memory is freed when this is dropped.
#[derive(Debug)]
pub struct Retired {
    id: CellId,
    entry: Arc<CellEntry>,
}

impl Drop for Retired {
    fn drop(&mut self) {
        drop(state::with_locked(|state| state.detach_retired_cell(self.id)));
    }
}

impl Retired {
    /// The record of a cell that has been put among the replaced ones.
    pub(super) fn new(cell: &Cell) -> Self {
        Self { id: cell.id, entry: Arc::clone(&cell.entry) }
    }

    /// The cell's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// Its number: no other cell has had it or will have it.
    #[must_use]
    pub fn id(&self) -> CellId {
        self.id
    }

    /// What lies at `address`: the mangled name of its function, of the function behind its stub or of its static; for a
    /// constant, which has no name, that of its section.
    #[must_use]
    pub fn name_at(&self, address: u64) -> Option<String> {
        self.look(|state, cell| {
            let stub = state.stubs.of_cell(cell.id).find(|&(_, stub)| stub == address);
            let entry = stub.map(|(function, _)| {
                let placement = cell.layout.placements[function.section as usize];
                cell.bases.address(placement.segment, placement.offset + function.offset as usize)
            });
            let function = cell.function_at(entry.unwrap_or(address)).map(|(name, ..)| String::from(name));
            function.or_else(|| cell.static_at(address)).or_else(|| cell.section_at(address))
        })
    }

    fn look<R: Default>(&self, look: impl FnOnce(&state::State, &Cell) -> R) -> R {
        state::look(|state| state.retired_cells.get(self.id).map(|cell| look(state, cell)))
            .flatten()
            .unwrap_or_default()
    }

    /// Addresses of its text.
    #[must_use]
    pub fn text(&self) -> Range<u64> {
        self.look(|_, cell| cell.range(layout::Segment::Text))
    }

    /// Where a word may lead that refers to it: to constants, to statics that its successor has not taken over, to the start
    /// of stubs of functions that have no successor. None may when this is dropped. No word refers to its text, nor to the
    /// tables for unwinding it: function pointers lead to stubs, so only frames stand in the text.
    #[must_use]
    pub fn referable(&self) -> Vec<Range<u64>> {
        self.look(|state, cell| {
            let stubs = state.stubs.of_cell(cell.id).map(|(_, address)| address..address + 1);
            let start = cell.range(layout::Segment::Constants).start;
            let constants = core::iter::once(start..start + cell.layout.constants_proper() as u64);
            let data = cell.segments.data.iter().map(|pages| addresses(pages));
            constants.chain(data).chain(stubs).filter(|range| !range.is_empty()).collect()
        })
    }

    /// Bytes of memory that dropping it frees.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.look(|_, cell| {
            let segments = &cell.segments;
            segments.text.as_ref().map_or(0, MappedPages::len)
                + segments.constants.as_ref().map_or(0, MappedPages::len)
                + segments.data.iter().map(|pages| pages.len()).sum::<usize>()
        })
    }

    /// Whether it refers to `other`, which must then stay as long as this does.
    #[must_use]
    pub fn refers_to(&self, other: &Self) -> bool {
        self.look(|_, cell| cell.references.iter().any(|reference| reference.cell == other.id))
    }
}
