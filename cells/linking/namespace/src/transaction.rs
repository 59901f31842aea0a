//! The transaction in which cells are replaced.

use crate::{
    LoadError,
    state::{self, State},
};

/// The right to replace cells. A transaction changes the tables by which cells are linked, unloaded and freed.
#[derive(Clone, Copy, Debug)]
pub struct ReplaceCap(());

impl ReplaceCap {
    /// The right.
    ///
    /// # Safety
    /// The holder changes cells, references, stubs and names only when the code that runs has changed in the same way, and
    /// takes no cell out of the tables that running code can reach.
    #[must_use]
    pub const unsafe fn new() -> Self {
        Self(())
    }
}

/// The time in which cells are replaced. While it lives, no other code brings a cell or takes one out. Dropping it gives
/// the replacement up, unless that was completed ([`State::complete_replacement`]).
///
/// To prepare a replacement takes long, and the namespace is locked with preemption off. So a transaction locks it for one
/// [step](Transaction::step) at a time: a fact that one step finds is still true in the next, and between two steps others see
/// the namespace as it was, because the tables do not have the prepared cells yet.
#[derive(Debug)]
pub struct Transaction {
    number: u64,
}

impl Transaction {
    /// Begins a transaction.
    ///
    /// # Errors
    /// [`LoadError::Replacing`] if another one is under way; [`LoadError::NoArchive`] before there is a namespace.
    pub fn begin(_right: ReplaceCap) -> Result<Self, LoadError> {
        state::with(|state| state.begin_replacement().ok_or(LoadError::Replacing)).map(|number| Self { number })
    }

    /// Runs `step` on the namespace, with preemption off.
    ///
    /// # Panics
    /// Never: a transaction begins when there is a namespace, which then stays.
    pub fn step<R>(&self, step: impl FnOnce(&mut State) -> R) -> R {
        state::with_locked(step).unwrap_or_else(|| unreachable!("transaction {} found a namespace", self.number))
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        state::with_locked(|state| {
            if state.replacement() == Some(self.number) {
                state.abandon_replacement();
            }
        });
        release_leaving();
    }
}

/// Ends the transaction of a task that has been lost with it, before the replacement took effect: cells come and go again. The
/// memory of the prepared cells stays taken. Nothing happens if no transaction is under way.
pub fn abandon(_right: ReplaceCap) {
    state::with_locked(State::abandon_replacement);
    release_leaving();
}

/// Frees the cells that left while no cell could be taken out. Their memory goes without the lock, because unmapping waits for
/// other CPUs.
fn release_leaving() {
    while let Some(cell) = state::with_locked(State::take_leaving).flatten() {
        drop(cell);
    }
}
