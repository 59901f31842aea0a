//! A change that is ready, and how the books are brought up to date when it has taken effect.

use alloc::{boxed::Box, string::String, vec::Vec};

use linker::{CellId, Function, Index, Reference};
use mapping::Replacement;

use super::{Change, HandOver, ReplaceError, Retired, Unstable, Write};
use crate::{
    cell::Cell,
    state::{self, State},
};

/// A cell that is to take another's place.
pub(super) struct Pair {
    pub(super) old: CellId,
    pub(super) new: Box<Cell>,
}

/// A change that is ready to take effect.
pub struct Prepared {
    pub(super) pairs: Vec<Pair>,
    names: Index,
    /// Stubs that will lead to other functions: their key now, their key and entry then.
    pub(super) stubs: Vec<(Function, Function, u64)>,
    /// References of cells that stay: cell, place in its list, what it will be.
    pub(super) references: Vec<(CellId, usize, Reference)>,
    /// References that the old cells will have: where their text goes on, it leads to the new ones.
    pub(super) successions: Vec<(CellId, Reference)>,
    pub(super) words: Vec<Write>,
    // Declared after what refers to nothing, so that frames go last.
    pub(super) pages: Vec<Replacement>,
    pub(super) unstable: Vec<Unstable>,
    hand_overs: Vec<(String, HandOver)>,
    /// What the system is when it is done; see [`State::build`].
    pub(super) build: Option<usize>,
    pub(super) changes: Vec<Change>,
    /// Room for the records of the cells that go.
    retired: Vec<Retired>,
    progress: Progress,
}

/// How far a change is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The namespace is locked, and whoever has it locked undoes what there is to undo.
    Begun,
    /// Dropping it gives the change up.
    Ready,
    /// The books say so.
    Done,
}

impl Prepared {
    /// New cells that are linked; what is to be written elsewhere is still to be found out.
    pub(super) fn new(
        pairs: Vec<Pair>,
        names: Index,
        stubs: Vec<(Function, Function, u64)>,
        hand_overs: Vec<(String, HandOver)>,
    ) -> Self {
        Self {
            pairs,
            names,
            stubs,
            references: Vec::new(),
            successions: Vec::new(),
            words: Vec::new(),
            pages: Vec::new(),
            unstable: Vec::new(),
            hand_overs,
            build: None,
            changes: Vec::new(),
            retired: Vec::new(),
            progress: Progress::Begun,
        }
    }

    /// Makes room for everything that [`Prepared::commit`] notes. Until then no cell comes or goes, so it stays.
    pub(super) fn reserve(&mut self, state: &mut State) -> Result<(), ReplaceError> {
        let memory = |_| ReplaceError::Memory;
        let tables = |_: hashbrown::TryReserveError| ReplaceError::Memory;
        let count = self.pairs.len();
        self.retired.try_reserve_exact(count).map_err(memory)?;
        state.zombies.try_reserve(count).map_err(memory)?;
        state.cells.try_reserve(count).map_err(memory)?;
        state.index.try_reserve(self.names.len()).map_err(tables)?;
        state.stubs.try_reserve(self.stubs.len()).map_err(tables)?;
        for cell in state.cells.values_mut() {
            cell.users.try_reserve(count).map_err(memory)?;
        }
        for Pair { old, new } in &mut self.pairs {
            let Some(cell) = state.cells.get_mut(*old) else { continue };
            let more = self.successions.iter().filter(|(user, _)| user == old).count();
            cell.references.try_reserve_exact(more).map_err(memory)?;
            new.segments.data.try_reserve_exact(cell.segments.data.len()).map_err(memory)?;
        }
        Ok(())
    }

    /// Nothing can fail any more.
    pub(super) fn arm(mut self) -> Self {
        self.progress = Progress::Ready;
        self
    }

    /// How many cells will be replaced.
    #[must_use]
    pub fn swap_set(&self) -> usize {
        self.pairs.len()
    }

    /// The cells of which there will be other objects, applications included, sorted by name.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
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

    /// The page table entries of prepared pages: all of them are exchanged, or none.
    #[must_use]
    pub fn page_entries(&self) -> Vec<Write> {
        let pages = self.pages.iter().map(|page| Write {
            address: page.entry().expose_provenance() as u64,
            old: page.old_bits(),
            new: page.new_bits(),
            bytes: 8,
        });
        pages.collect()
    }

    /// Words of statics that were made with old addresses: each is exchanged if it still holds its own.
    #[must_use]
    pub fn words(&self) -> &[Write] {
        &self.words
    }

    /// How many pages have been copied and patched.
    #[must_use]
    pub fn patched_pages(&self) -> usize {
        self.pages.len()
    }

    /// The writes have been done: brings the books up to date and returns the cells that were replaced. Takes no memory, so
    /// that nothing can come between what the CPUs run and what the books say; cells come and go again when `self` is
    /// dropped.
    pub fn commit(&mut self) -> Vec<Retired> {
        state::with_locked(|state| self.enter(state));
        core::mem::take(&mut self.retired)
    }

    fn enter(&mut self, state: &mut State) {
        state.build = self.build;
        state.stubs.rename(&self.stubs);
        for &(user, place, reference) in &self.references {
            let user = match state.cells.get_mut(user) {
                Some(cell) => Some(cell),
                None => state.zombies.get_mut(user),
            };
            if let Some(slot) = user.and_then(|cell| cell.references.get_mut(place)) {
                *slot = reference;
            }
        }
        for Pair { old, new } in &mut self.pairs {
            state.index.remove(*old);
            let Some(mut old) = state.take_out(*old) else { continue };
            new.users = core::mem::take(&mut old.users);
            new.take_over(&mut old);
            self.retired.push(Retired::new(&old));
            state.zombies.insert(old);
        }
        for &(old, reference) in &self.successions {
            if let Some(cell) = state.zombies.get_mut(old) {
                cell.references.push(reference);
            }
        }
        state.index.merge(core::mem::take(&mut self.names));
        state.enter(self.pairs.drain(..).map(|pair| pair.new));
        state.complete_replacement();
        self.progress = Progress::Done;
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if self.progress == Progress::Begun {
            return;
        }
        // Pages first: they belong to mappings that may go with the cells that are leaving.
        self.pages.clear();
        if self.progress == Progress::Ready {
            state::with_locked(State::abandon_replacement);
            self.pairs.clear();
        }
        release_leaving();
    }
}

/// Unloads the cells that went while no cell could go: their memory without the lock, for unmapping waits for other CPUs.
pub(super) fn release_leaving() {
    while let Some(cell) = state::with_locked(State::take_leaving).flatten() {
        drop(cell);
    }
}
