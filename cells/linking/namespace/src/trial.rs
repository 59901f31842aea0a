//! Loading on trial: finds out whether a damaged or foreign object is refused.

use alloc::{string::String, sync::Arc, vec::Vec};

use crate::{
    LoadError,
    draft::Candidate,
    load::Scope,
    state::{self, State},
};

/// The object of the cell called `name` as it is in the archive, loaded or not.
///
/// # Errors
/// [`LoadError`] if there is none or its bytes are not those that the manifest tells of.
pub fn archived_object(name: &str) -> Result<Arc<[u8]>, LoadError> {
    let (archive, entry) = state::with(|state| Ok((Arc::clone(&state.archive), state.known(name)?)))?;
    Ok(Candidate::fetch(&archive, entry)?.file)
}

/// Names of all cells in the archive.
#[must_use]
pub fn archived() -> Vec<String> {
    let names = |state: &State| state.archive.manifest().cells.iter().map(|cell| cell.name.clone()).collect();
    state::look(names).unwrap_or_default()
}

/// Loads the bytes of `file` as the object of the cell called `name`, as far as that can fail: they are read, placed,
/// linked, mapped with their final rights and made known to the unwinder, as in any load, but not compared with the
/// digest in the manifest. Then all of it is undone. With [`Scope::Private`] the cell may be loaded already.
///
/// # Errors
/// [`LoadError`], as for any load. The namespace is as it was in any case.
pub fn check_object(name: &str, file: &[u8], scope: Scope) -> Result<(), LoadError> {
    let entry = state::with(|state| state.known(name))?;
    let candidate = Candidate { entry, file: Arc::from(file) };
    let object = candidate.object()?;
    let cells = state::with(|state| {
        let ready = state.prepare(core::slice::from_ref(&candidate), core::slice::from_ref(&object), scope)?;
        state.stubs.take_back(&ready.stubs);
        Ok(ready.cells)
    })?;
    // Without the lock, for unmapping waits for other CPUs.
    drop(cells);
    Ok(())
}
