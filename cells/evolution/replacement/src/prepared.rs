//! A change that is ready, and how the tables are brought up to date when it has taken effect.

use alloc::{string::String, vec::Vec};

use namespace::parts::{State, Transaction};
use pivot::Exchange;

use crate::{
    change::{Change, StateTransfer, Unstable},
    error::ReplaceError,
    new_cells::{Built, Pair},
    references::Patched,
};

/// The state of the system when a change has taken effect.
pub(crate) struct Outcome {
    /// See [`State::build`].
    pub(crate) build: Option<usize>,
    pub(crate) changes: Vec<Change>,
}

/// A change that is ready to take effect. Dropping it gives it up, unless it has.
pub struct Prepared {
    // Goes first: the pages belong to mappings that may go with the cells that are leaving.
    patched: Patched,
    built: Built,
    unstable: Vec<Unstable>,
    outcome: Outcome,
    // Goes last: from then on cells come and go.
    transaction: Transaction,
}

impl Prepared {
    /// A change of which everything is known, with room for all notes of it.
    pub(crate) fn new(
        transaction: Transaction,
        built: Built,
        patched: Patched,
        unstable: Vec<Unstable>,
        outcome: Outcome,
    ) -> Result<Self, ReplaceError> {
        let mut prepared = Self { patched, built, unstable, outcome, transaction };
        prepared.reserve()?;
        Ok(prepared)
    }

    /// Makes room for everything that [`Prepared::commit`] notes. Until then no cell comes or goes, so the room stays.
    fn reserve(&mut self) -> Result<(), ReplaceError> {
        let memory = |_| ReplaceError::Memory;
        let Self { patched, built, transaction, .. } = self;
        let count = built.pairs.len();
        let mut pending_cells = Vec::new();
        pending_cells.try_reserve_exact(count).map_err(memory)?;
        pending_cells.extend(built.pairs.iter().map(|pair| pair.new.pending()));
        transaction.step(|state| {
            let tables = |_: hashbrown::TryReserveError| ReplaceError::Memory;
            state.announce(pending_cells);
            state.retired_cells.try_reserve(count).map_err(memory)?;
            state.cells.try_reserve(count).map_err(memory)?;
            state.index.try_reserve(built.names.len()).map_err(tables)?;
            state.stubs.try_reserve(built.stubs.len()).map_err(tables)?;
            for cell in state.cells.values_mut() {
                cell.users.try_reserve(count).map_err(memory)?;
            }
            for Pair { old, new } in &mut built.pairs {
                let Some(cell) = state.cells.get_mut(*old) else { continue };
                let more = patched.successions.iter().filter(|(user, _)| user == old).count();
                cell.references.try_reserve_exact(more).map_err(memory)?;
                new.make_room_for(cell).map_err(memory)?;
            }
            Ok(())
        })
    }

    /// How many cells will be replaced.
    #[must_use]
    pub fn swap_set(&self) -> usize {
        self.built.pairs.len()
    }

    /// The cells of which there will be other objects, applications included, sorted by name.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.outcome.changes
    }

    /// Text that must be on no stack.
    #[must_use]
    pub fn unstable(&self) -> &[Unstable] {
        &self.unstable
    }

    /// The cells that hand their state over.
    #[must_use]
    pub fn state_transfers(&self) -> &[(String, StateTransfer)] {
        &self.built.state_transfers
    }

    /// The page table entries of prepared pages: all of them are exchanged, or none.
    #[must_use]
    pub fn page_entries(&self) -> Vec<Exchange> {
        let pages = self.patched.pages.iter().map(|page| Exchange {
            address: page.entry().expose_provenance() as u64,
            old: page.old_bits(),
            new: page.new_bits(),
            bytes: 8,
        });
        pages.collect()
    }

    /// Words of statics that were made with old addresses: each is exchanged if it still holds its own.
    #[must_use]
    pub fn words(&self) -> &[Exchange] {
        &self.patched.words
    }

    /// How many pages have been copied and patched.
    #[must_use]
    pub fn patched_pages(&self) -> usize {
        self.patched.pages.len()
    }

    /// Brings the tables up to date: the replaced cells are retired ones from then on. Takes no memory, so that nothing can come
    /// between the code that the CPUs run and the code that the tables name. Cells come and go again when `self` is dropped.
    ///
    /// # Safety
    /// All page entries and words have been exchanged, and the change was not given up since it was prepared.
    pub unsafe fn commit(&mut self) {
        let Self { patched, built, outcome, transaction, .. } = self;
        transaction.step(|state| enter(state, patched, built, outcome.build));
    }
}

fn enter(state: &mut State, patched: &Patched, built: &mut Built, build: Option<usize>) {
    state.build = build;
    state.stubs.rename(&built.stubs);
    for &(user, place, reference) in &patched.references {
        let user = match state.cells.get_mut(user) {
            Some(cell) => Some(cell),
            None => state.retired_cells.get_mut(user),
        };
        if let Some(slot) = user.and_then(|cell| cell.references.get_mut(place)) {
            *slot = reference;
        }
    }
    for Pair { old, new } in &mut built.pairs {
        state.index.remove(*old);
        let Some(mut old) = state.take_out(*old) else { continue };
        new.users = core::mem::take(&mut old.users);
        new.take_over(&mut old);
        state.retired_cells.insert(old);
    }
    for &(old, reference) in &patched.successions {
        if let Some(cell) = state.retired_cells.get_mut(old) {
            cell.references.push(reference);
        }
    }
    state.index.merge(core::mem::take(&mut built.names));
    state.enter(built.pairs.drain(..).map(|pair| pair.new));
    state.complete_replacement();
}
