//! Cells that come and go: applications.

use alloc::string::String;
use core::sync::atomic::{AtomicU64, Ordering};

use linker::CellId;
use manifest::Role;

use crate::{LoadError, UnloadError, load::Scope, state};

/// How often an application came, or began or finished to go.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// A number that differs before and after an application came or went, its memory included: who compares what all cells
/// together have can tell by it whether others changed that meanwhile.
#[must_use]
pub fn changes() -> u64 {
    CHANGES.load(Ordering::SeqCst)
}

fn changed() {
    CHANGES.fetch_add(1, Ordering::SeqCst);
}

/// A loaded application. Dropping it unloads the cell.
#[derive(Debug)]
#[must_use = "dropping it unloads the application at once"]
pub struct LoadedApplication {
    id: CellId,
    entry: u64,
}

impl LoadedApplication {
    /// Address of its `main`.
    #[must_use]
    pub fn entry(&self) -> u64 {
        self.entry
    }
}

impl Drop for LoadedApplication {
    fn drop(&mut self) {
        changed();
        drop(state::with_locked(|state| state.detach(self.id)));
        changed();
    }
}

/// Loads the application called `name`. Every start has a cell of its own.
///
/// # Errors
/// [`LoadError`]; the namespace is then as it was.
pub fn application(name: &str) -> Result<LoadedApplication, LoadError> {
    state::with(|state| {
        let candidates = state.fetch(&[name])?;
        let symbol = match candidates.first().map(|candidate| (candidate.entry.role, candidate.entry.entry.clone())) {
            Some((Role::Application, Some(symbol))) => symbol,
            _ => return Err(LoadError::NotAnApplication { cell: String::from(name) }),
        };
        let loaded = state.load(&candidates, Scope::Private)?;
        match (loaded.names.get(&symbol), &loaded.ids[..]) {
            (Some(main), &[id]) => {
                changed();
                Ok(LoadedApplication { id, entry: main.address.get() })
            }
            _ => {
                // It was loaded, but its `main` is not the one that the manifest names.
                for id in loaded.ids {
                    drop(state.detach(id));
                }
                Err(LoadError::NotAnApplication { cell: String::from(name) })
            }
        }
    })
}

/// Unloads the cell called `name`.
///
/// # Errors
/// [`UnloadError`] if it is not loaded or others use it.
pub fn unload(name: &str) -> Result<(), UnloadError> {
    let not_loaded = || UnloadError::NotLoaded { cell: String::from(name) };
    let outcome = state::with(|state| {
        let Some(cell) = state.named(name) else { return Ok(Err(not_loaded())) };
        let id = cell.id;
        if !cell.users.is_empty() {
            let users = cell.users.iter().map(|&user| state.name_of(user)).collect();
            return Ok(Err(UnloadError::InUse { cell: String::from(name), users }));
        }
        state.index.remove(id);
        Ok(Ok(state.detach(id)))
    });
    match outcome {
        Ok(outcome) => outcome.map(drop),
        Err(LoadError::Replacing) => Err(UnloadError::Replacing),
        Err(_) => Err(not_loaded()),
    }
}
