//! Cells that come and go: applications.

use alloc::{string::String, sync::Arc};
use core::{
    slice,
    sync::atomic::{AtomicU64, Ordering},
};

use linker::CellId;
use manifest::Role;

use crate::{EntryPoint, LoadError, draft::Candidate, load::Scope, state};

/// How often an application came, or began or finished to go.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// A number that differs before and after an application came or went, its memory included: by it a comparison of all that
/// cells have can tell whether others changed that meanwhile.
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
    entry: EntryPoint,
    stack_size: Option<u32>,
}

impl LoadedApplication {
    /// Its `main`.
    #[must_use]
    pub fn entry(&self) -> &EntryPoint {
        &self.entry
    }

    /// Bytes of stack that it asks for, if the usual size is not enough.
    #[must_use]
    pub fn stack_size(&self) -> Option<usize> {
        self.stack_size.and_then(|bytes| usize::try_from(bytes).ok())
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
/// [`LoadError`]; the namespace is then as it was. With [`LoadError::Replacing`] it is worth another try, after the swap.
pub fn application(name: &str) -> Result<LoadedApplication, LoadError> {
    let (build, archive, entry) =
        state::with(|state| Ok((state.build, Arc::clone(&state.archive), state.known(name)?)))?;
    let symbol = match (entry.role, entry.entry.clone()) {
        (Role::Application, Some(symbol)) => symbol,
        _ => return Err(LoadError::NotAnApplication { cell: String::from(name) }),
    };
    // Read without the lock, which is held with preemption off.
    let candidate = Candidate::fetch(&archive, entry)?;
    let object = candidate.object()?;
    state::with(|state| {
        if state.build != build {
            // A swap has come between, and the build that the system is now may have another object.
            return Err(LoadError::Replacing);
        }
        let loaded = state.load(slice::from_ref(&candidate), slice::from_ref(&object), Scope::Private)?;
        match (loaded.names.get(&symbol), &loaded.ids[..]) {
            (Some(main), &[id]) => {
                changed();
                // SAFETY: the names were taken from the candidate's object when it was loaded.
                let entry = unsafe { EntryPoint::new(&candidate.entry, &symbol, main.address.get()) };
                Ok(LoadedApplication { id, entry, stack_size: candidate.entry.stack_size })
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
