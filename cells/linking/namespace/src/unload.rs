//! Cells that come and go: applications.

use alloc::{string::String, sync::Arc};

use linker::CellId;
use manifest::Role;

use crate::{
    LoadError, UnloadError,
    load::{Candidate, Scope, parse},
    state,
};

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
        drop(state::with_locked(|state| state.detach(self.id)));
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
            (Some(main), &[id]) => Ok(LoadedApplication { id, entry: main.address.get() }),
            _ => Err(LoadError::NotAnApplication { cell: String::from(name) }),
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

/// Tries to load the bytes of `file` as the object of the cell called `name`, as a new cell beside all others, and
/// unloads it again: for finding out whether a damaged or foreign object is refused.
///
/// # Errors
/// [`LoadError`], as for any load; the namespace is as it was in any case.
pub fn check_object(name: &str, file: &[u8]) -> Result<(), LoadError> {
    state::with(|state| {
        let unknown = || LoadError::Unknown { cell: String::from(name) };
        let entry = state.archive.manifest().cell(name).ok_or_else(unknown)?.clone();
        let candidate = Candidate { entry: Arc::new(entry), file: Arc::from(file) };
        parse(&candidate)?;
        let loaded = state.load(core::slice::from_ref(&candidate), Scope::Private)?;
        for id in loaded.ids {
            drop(state.detach(id));
        }
        Ok(())
    })
}
