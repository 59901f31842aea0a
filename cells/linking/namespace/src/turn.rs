//! The turn to replace cells.

use crate::{
    LoadError,
    replace::ReplaceError,
    state::{self, State},
};

/// While it lives, no cell comes or goes but by whoever has it. Dropping it gives the replacement up, unless it has taken
/// effect.
///
/// To prepare a replacement takes long, and the namespace is locked with preemption off. So whoever has the turn locks it for
/// one [step](Turn::step) at a time: what a step finds is still so in the next one, and what others see between is the namespace
/// as it was, for what is prepared is not in the books yet.
#[derive(Debug)]
pub(crate) struct Turn {
    number: u64,
}

impl Turn {
    /// Takes the turn.
    ///
    /// # Errors
    /// [`ReplaceError::Busy`] if somebody has it; [`LoadError::NoArchive`] before there is a namespace.
    pub(crate) fn take() -> Result<Self, ReplaceError> {
        let number = state::with_locked(State::begin_replacement).ok_or(LoadError::NoArchive)?;
        Ok(Self { number: number.ok_or(ReplaceError::Busy)? })
    }

    /// Runs `step` on the namespace, with preemption off.
    pub(crate) fn step<R>(&self, step: impl FnOnce(&mut State) -> R) -> R {
        state::with_locked(step).unwrap_or_else(|| unreachable!("replacement {} found a namespace", self.number))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        state::with_locked(|state| {
            if state.replacement() == Some(self.number) {
                state.abandon_replacement();
            }
        });
        release_leaving();
    }
}

/// Whoever had the turn has been lost with it, before the replacement took effect: cells come and go again. What was prepared
/// stays taken. Nothing happens if nobody has it.
pub(crate) fn abandon() {
    state::with_locked(State::abandon_replacement);
    release_leaving();
}

/// Unloads the cells that went while no cell could go: their memory without the lock, for unmapping waits for other CPUs.
fn release_leaving() {
    while let Some(cell) = state::with_locked(State::take_leaving).flatten() {
        drop(cell);
    }
}
