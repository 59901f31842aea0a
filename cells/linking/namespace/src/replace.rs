//! Replacing loaded cells by others of the same names: what the engine of evolution builds on.
//!
//! [`prepare`] does everything that can fail: the new cells are loaded beside the old ones, and for every place that
//! refers to an old cell the new content is ready. Nothing that runs sees any of it. The result says which words are to
//! be written while no CPU runs ([`Prepared::writes`]); after that [`Prepared::commit`] brings the books up to date.
//! Dropping it instead undoes everything. While it lives no cell comes or goes.
//!
//! What keeps its address: statics whose structure did not change (with their values), and every permanent stub.

mod error;
mod patches;
mod prepare;

use alloc::{string::String, sync::Arc, vec::Vec};
use core::ops::Range;

pub use comparison::Held;
pub use error::ReplaceError;
use hashbrown::HashMap;
use linker::{CellId, Function, Index, Reference};
use manifest::{Alternate, CellEntry};
use mapping::{MappedPages, Replacement, Writable};

use crate::{cell::Cell, state};

/// Name of the build that the system booted with.
pub const BASE: &str = "base";

/// A word to be written while no CPU runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where.
    pub address: u64,
    /// What must still be there.
    pub old: u64,
    /// What takes its place.
    pub new: u64,
    /// Size of the word: 4 or 8 bytes.
    pub bytes: usize,
}

/// A part of the text that no stack may be in when the change takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstable {
    /// Its addresses.
    pub range: Range<u64>,
    /// The cell.
    pub cell: String,
    /// The section's name.
    pub section: String,
}

/// The functions by which a cell hands its state over: mangled paths are in the manifest's cell of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// `surrender` of the old cell.
    pub surrender: u64,
    /// `adopt` of the old cell, to give the state back.
    pub give_back: u64,
    /// `adopt` of the new cell.
    pub adopt: u64,
}

/// A cell that is to take another's place.
pub(super) struct Pair {
    old: CellId,
    new: Cell,
}

/// A change that is ready to take effect.
pub struct Prepared {
    pairs: Vec<Pair>,
    names: Index,
    /// Stubs that will lead to other functions: their key now, their key and entry then.
    stubs: Vec<(Function, Function, u64)>,
    /// References of cells that stay: cell, place in its list, what it will be.
    references: Vec<(CellId, usize, Reference)>,
    /// References that the old cells will have: where their text goes on, it leads to the new ones.
    successions: Vec<(CellId, Reference)>,
    words: Vec<Write>,
    // Declared after what refers to nothing, so that frames go last.
    pages: Vec<Replacement>,
    unstable: Vec<Unstable>,
    hand_overs: Vec<(String, HandOver)>,
    /// From when on dropping it has something to undo in the namespace.
    armed: bool,
}

/// A replaced cell that is no longer in the namespace. Its memory is freed when this is dropped.
#[derive(Debug)]
pub struct Retired {
    id: CellId,
    name: String,
}

impl Drop for Retired {
    fn drop(&mut self) {
        let cell = state::with_locked(|state| {
            state.stubs.remove(self.id);
            state.zombies.remove(&self.id)
        });
        drop(cell);
    }
}

impl Retired {
    /// The cell's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
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
        state::look(|state| state.zombies.get(&self.id).map(|cell| look(state, cell))).flatten().unwrap_or_default()
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

fn addresses(pages: &MappedPages<Writable>) -> Range<u64> {
    pages.start().as_u64()..pages.start().as_u64() + pages.len() as u64
}

/// Addresses of all statics of cells that are not replaced. What a replaced cell keeps of its own is used by nobody: text
/// that names a static which does not stay has been left before the change.
#[must_use]
pub fn data_ranges() -> Vec<Range<u64>> {
    let ranges = |cell: &Cell| cell.segments.data.iter().map(|pages| addresses(pages)).collect::<Vec<_>>();
    state::look(|state| state.cells.values().flat_map(ranges).collect()).unwrap_or_default()
}

/// The object files of all cells, replaced ones included: memory that holds no references.
#[must_use]
pub fn files() -> Vec<Arc<[u8]>> {
    let file = |cell: &Cell| Arc::clone(&cell.file);
    state::look(|state| state.cells.values().chain(state.zombies.values()).map(file).collect()).unwrap_or_default()
}

/// The alternate builds in the archive: name, description, names of the cells that differ.
#[must_use]
pub fn alternates() -> Vec<(String, String, Vec<String>)> {
    let row = |alternate: &Alternate| {
        let cells = alternate.cells.iter().map(|cell| cell.name.clone()).collect();
        (alternate.name.clone(), alternate.description.clone(), cells)
    };
    state::look(|state| state.archive.manifest().alternates.iter().map(row).collect()).unwrap_or_default()
}

/// Makes ready to change the namespace to the build called `name`: an alternate, or [`BASE`].
///
/// # Errors
/// [`ReplaceError`] says which cell refuses and why; everything is as it was.
pub fn prepare(name: &str) -> Result<Prepared, ReplaceError> {
    state::with_replace(|state| prepare::prepare(state, name))
}

impl Prepared {
    /// Names of the cells that will be replaced.
    #[must_use]
    pub fn swap_set(&self) -> Vec<String> {
        self.pairs.iter().map(|pair| pair.new.entry.name.clone()).collect()
    }

    /// Text that must be on no stack.
    #[must_use]
    pub fn unstable(&self) -> &[Unstable] {
        &self.unstable
    }

    /// The cells that hand their state over.
    #[must_use]
    pub fn hand_overs(&self) -> &[(String, HandOver)] {
        &self.hand_overs
    }

    /// All words that make the change: page table entries of prepared pages, and statics that hold old addresses.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        let pages = self.pages.iter().map(|page| Write {
            address: page.entry().expose_provenance() as u64,
            old: page.old_bits(),
            new: page.new_bits(),
            bytes: 8,
        });
        pages.chain(self.words.iter().copied()).collect()
    }

    /// How many pages have been copied and patched.
    #[must_use]
    pub fn patched_pages(&self) -> usize {
        self.pages.len()
    }

    /// The writes have been done: brings the books up to date and returns the cells that were replaced.
    #[must_use]
    pub fn commit(mut self) -> Vec<Retired> {
        let pairs = core::mem::take(&mut self.pairs);
        let names = core::mem::take(&mut self.names);
        let retired = state::with_locked(|state| {
            state.stubs.rename(&self.stubs);
            for (user, place, reference) in self.references.drain(..) {
                let user = match state.cells.get_mut(&user) {
                    Some(cell) => Some(cell),
                    None => state.zombies.get_mut(&user),
                };
                if let Some(slot) = user.and_then(|cell| cell.references.get_mut(place)) {
                    *slot = reference;
                }
            }
            for (old, reference) in self.successions.drain(..) {
                if let Some(cell) = state.cells.get_mut(&old) {
                    cell.references.push(reference);
                }
            }
            let mut retired = Vec::with_capacity(pairs.len());
            let mut new_cells = Vec::with_capacity(pairs.len());
            let renamed: HashMap<CellId, CellId> = pairs.iter().map(|pair| (pair.old, pair.new.id)).collect();
            for Pair { old, mut new } in pairs {
                state.index.remove(old);
                if let Some(mut old) = state.cells.remove(&old) {
                    new.users = old.users.iter().map(|user| *renamed.get(user).unwrap_or(user)).collect();
                    // Statics that stay are the new cell's now, with the pages that they lie in; so are thread locals, which
                    // are the same. Pages of statics that were handed over go with the old cell.
                    let stays = |pages: &mut Arc<MappedPages<Writable>>| new.keeps_statics_in(pages);
                    let stay: Vec<_> = old.segments.data.extract_if(.., stays).collect();
                    new.segments.data.extend(stay);
                    new.thread_locals = new.thread_locals.take().or_else(|| old.thread_locals.take());
                    retired.push(Retired { id: old.id, name: old.entry.name.clone() });
                    state.zombies.insert(old.id, old);
                }
                new_cells.push(new);
            }
            for cell in state.cells.values_mut() {
                cell.users = cell.users.iter().map(|user| *renamed.get(user).unwrap_or(user)).collect();
            }
            state.index.merge(names);
            state.enter(new_cells);
            retired
        });
        retired.unwrap_or_default()
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        // Pages first: they belong to mappings that may go when deferred unloads are done.
        self.pages.clear();
        let pairs = core::mem::take(&mut self.pairs);
        let gone = state::with_locked(|state| {
            for pair in &pairs {
                state.stubs.remove(pair.new.id);
            }
            state.end_replacement()
        });
        drop((pairs, gone));
    }
}

/// The entries of the build called `name` that differ from what is loaded.
fn target(state: &state::State, name: &str) -> Result<Vec<Arc<CellEntry>>, ReplaceError> {
    let manifest = state.archive.manifest();
    let overlay: &[CellEntry] = if name == BASE {
        &[]
    } else {
        let alternate = manifest.alternates.iter().find(|alternate| alternate.name == name);
        &alternate.ok_or_else(|| ReplaceError::Unknown { build: name.into() })?.cells
    };
    let loaded = |entry: &&CellEntry| state.named(&entry.name).map(|cell| cell.entry.object.digest);
    let differing = |entry: &&CellEntry| loaded(entry).is_some_and(|digest| digest != entry.object.digest);
    let replaced = |entry: &&CellEntry| overlay.iter().any(|other| other.name == entry.name);
    let base = manifest.cells.iter().filter(|entry| !replaced(entry));
    Ok(overlay.iter().chain(base).filter(differing).map(|entry| Arc::new(entry.clone())).collect())
}
