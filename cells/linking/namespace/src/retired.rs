//! Replaced cells, until nothing refers to them any more.
//!
//! This is the one list of them. A scan for references asks it where a reference may lead, and says then which cells are free.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::ops::Range;

use layout::{FIRST_VALUE, Segment};
use linker::CellId;
use mapping::{InUse, MappedPages};

use crate::{
    cell::Cell,
    holder::{Holder, Referrer},
    state::{self, State},
};

/// The right to free replaced cells.
#[derive(Clone, Copy, Debug)]
pub struct ReclaimCap(());

impl ReclaimCap {
    /// The right.
    ///
    /// # Safety
    /// The holder says that a cell has no holder only if no stack stands in its text and no word leads to one of its
    /// [`referable`](Traces::referable) ranges, nor, from outside of stacks, to one of its [`handed_over`](Traces::handed_over).
    #[must_use]
    pub const unsafe fn new() -> Self {
        Self(())
    }
}

/// A replaced cell that something still refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetiredCell {
    /// Name of the cell.
    pub cell: String,
    /// Bytes of memory that it keeps.
    pub bytes: usize,
    /// The first reference to it that the last scan found.
    pub holder: Holder,
}

/// The places that a reference to a retired cell leads to.
#[derive(Clone, Debug)]
pub struct Traces {
    /// The cell's number: no other cell has had it or will have it.
    pub cell: CellId,
    /// Its text.
    pub text: Range<u64>,
    /// Where a word may lead that refers to it: to constants, to statics that its successor has not taken over, to the start
    /// of stubs of functions that have no successor. No word refers to its text, nor to the tables for unwinding it: function
    /// pointers lead to stubs, so only frames stand in the text.
    pub referable: Vec<Range<u64>>,
    /// As `referable`, but a word on a stack does not count: the statics of a cell that hands its state over. No reference to them
    /// leaves the cell's functions (the contract in `policy_interface`), and a frame of a function that is under way holds the cell.
    /// So a stack has only what earlier calls left.
    pub handed_over: Vec<Range<u64>>,
}

fn addresses(pages: &MappedPages<InUse>) -> Range<u64> {
    pages.start().as_u64()..pages.start().as_u64() + pages.len() as u64
}

fn traces(state: &State, cell: &Cell) -> Traces {
    let stubs = state.stubs.of_cell(cell.id).map(|(_, address)| address..address + 1);
    let start = cell.range(Segment::Constants).start;
    let end = start + cell.layout.constants_proper() as u64;
    let constants = core::iter::once(start + FIRST_VALUE as u64..end);
    let data = cell.segments.data.iter().map(|pages| addresses(pages));
    let data: Vec<_> = data.map(|range| range.start + FIRST_VALUE as u64..range.end).collect();
    let (data, handed_over) = if cell.entry.state_transfer.is_some() { (Vec::new(), data) } else { (data, Vec::new()) };
    let referable = constants.chain(data).chain(stubs).filter(|range| !range.is_empty()).collect();
    Traces { cell: cell.id, text: cell.range(Segment::Text), referable, handed_over }
}

fn bytes(cell: &Cell) -> usize {
    let segments = &cell.segments;
    segments.text.as_ref().map_or(0, MappedPages::len)
        + segments.constants.as_ref().map_or(0, MappedPages::len)
        + segments.data.iter().map(|pages| pages.len()).sum::<usize>()
}

/// The retired cells, but for those that go as soon as a replacement is over.
fn present(state: &State) -> impl Iterator<Item = &Cell> {
    state.retired_cells.values().filter(|cell| !cell.leaving)
}

/// The retired cells that are left.
#[must_use]
pub fn retired_cells() -> Vec<RetiredCell> {
    let describe =
        |cell: &Cell| RetiredCell { cell: cell.entry.name.clone(), bytes: bytes(cell), holder: cell.holder.clone() };
    state::look(|state| present(state).map(describe).collect()).unwrap_or_default()
}

/// Whether there are retired cells.
#[must_use]
pub fn any_retired() -> bool {
    state::look(|state| present(state).next().is_some()).unwrap_or_default()
}

/// The places that references to the retired cells lead to.
#[must_use]
pub fn retired_traces() -> Vec<Traces> {
    state::look(|state| present(state).map(|cell| traces(state, cell)).collect()).unwrap_or_default()
}

/// The name of the thing at `address` in a retired cell: mangled, that of its function, of the function behind its stub or of
/// its static; for a constant, which has no name, that of its section.
#[must_use]
pub fn retired_name_at(cell: CellId, address: u64) -> Option<String> {
    state::look(|state| {
        let cell = state.retired_cells.get(cell)?;
        let stub = state.stubs.of_cell(cell.id).find(|&(_, stub)| stub == address);
        let entry = stub.map(|(function, _)| {
            let placement = cell.layout.placements[function.section as usize];
            cell.bases.address(placement.segment, placement.offset + function.offset as usize)
        });
        let function = cell.function_at(entry.unwrap_or(address)).map(|(name, ..)| String::from(name));
        function.or_else(|| cell.static_at(address)).or_else(|| cell.section_at(address))
    })
    .flatten()
}

/// Notes the result of a scan: each cell that it looked for, with its holder or `None`. Cells without a holder are freed, unless
/// a retired cell that stays refers to them; returns how many were freed.
pub fn free_retired(_right: ReclaimCap, found: Vec<(CellId, Option<Holder>)>) -> usize {
    let free = state::with_locked(|state| take_free(state, found)).unwrap_or_default();
    // Without the lock, because unmapping waits for other CPUs.
    free.len()
}

fn take_free(state: &mut State, found: Vec<(CellId, Option<Holder>)>) -> Vec<Box<Cell>> {
    let mut free = Vec::new();
    for (id, holder) in found {
        match (holder, state.retired_cells.get_mut(id)) {
            (Some(holder), Some(cell)) => cell.holder = holder,
            (None, Some(_)) => free.push(id),
            (_, None) => {}
        }
    }
    // A retired cell that stays may call another one, which then stays too. The scan did not look for cells that were retired
    // after it began: they stay.
    while let Some((place, by)) = held_by_another(state, &free) {
        let id = free.swap_remove(place);
        if let Some(cell) = state.retired_cells.get_mut(id) {
            cell.holder = Holder { address: 0, referrer: Referrer::RetiredCell { cell: by }, target: String::new() };
        }
    }
    free.into_iter().filter_map(|id| state.detach_retired_cell(id)).collect()
}

/// The place in `free` of a cell to which a retired cell that is not in `free` refers, and the name of that one.
fn held_by_another(state: &State, free: &[CellId]) -> Option<(usize, String)> {
    present(state).filter(|holder| !free.contains(&holder.id)).find_map(|holder| {
        let place = free.iter().position(|&id| holder.references.iter().any(|reference| reference.cell == id))?;
        Some((place, holder.entry.name.clone()))
    })
}

/// Addresses of all statics of cells that are not replaced. The statics that a replaced cell keeps have no user: text that
/// names a static which does not stay has been left before the change.
#[must_use]
pub fn data_ranges() -> Vec<Range<u64>> {
    let ranges = |cell: &Cell| cell.segments.data.iter().map(|pages| addresses(pages)).collect::<Vec<_>>();
    state::look(|state| state.cells.values().flat_map(ranges).collect()).unwrap_or_default()
}

/// The object files of all cells, replaced ones included: memory that holds no references.
#[must_use]
pub fn files() -> Vec<Arc<[u8]>> {
    let file = |cell: &Cell| Arc::clone(&cell.file);
    state::look(|state| state.cells.values().chain(state.retired_cells.values()).map(file).collect())
        .unwrap_or_default()
}

/// Whether `address` lies in the record of a cell. Nothing in a record refers to the parts of a cell, but where a record has no
/// value, the bytes of the memory that it was moved to may shine through. For a scan that runs while all CPUs are stopped.
#[must_use]
pub fn is_record(address: u64) -> bool {
    state::try_look(|state| state.cells.holds(address) || state.retired_cells.holds(address)).unwrap_or_default()
}
