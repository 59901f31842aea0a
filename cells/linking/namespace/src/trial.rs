//! Loading on trial: for finding out whether a damaged or foreign object is refused, and what that leaves behind.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::hash::{Hash, Hasher};

use crate::{
    LoadError,
    load::{Candidate, Scope, fetch, parse},
    state::{self, State},
};

/// The object of the cell called `name` as it is in the archive, loaded or not.
///
/// # Errors
/// [`LoadError`] if there is none or its bytes are not those that the manifest tells of.
pub fn archived_object(name: &str) -> Result<Arc<[u8]>, LoadError> {
    let (archive, entry) = state::with(|state| Ok((Arc::clone(&state.archive), state.known(name)?)))?;
    Ok(fetch(&archive, entry)?.file)
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
    let object = parse(&candidate)?;
    let cells = state::with(|state| {
        let ready = state.prepare(core::slice::from_ref(&candidate), core::slice::from_ref(&object), scope)?;
        state.stubs.take_back(&ready.stubs);
        Ok(ready.cells)
    })?;
    // Without the lock, for unmapping waits for other CPUs.
    drop(cells);
    Ok(())
}

/// A number for all that the namespace knows: cells, their places, references and users, names, stubs. It is the same as
/// long as nothing of that changes.
#[must_use]
pub fn fingerprint() -> u64 {
    state::look(|state| {
        let cells = state.cells.values().map(|cell| {
            let places = [cell.bases.text.get(), cell.bases.constants.get(), cell.bases.data.get(), cell.bases.thread];
            let users = cell.users.iter().map(|user| user.0).collect::<Vec<_>>();
            digest(&(cell.id.0, &cell.entry.name, cell.entry.object.digest, places, cell.references.len(), users))
        });
        let names = state.index.iter().map(|(name, global)| {
            digest(&(name, global.cell.0, global.section, global.offset, global.address.get(), global.weak))
        });
        let stubs = state.stubs.all().map(|(function, address)| digest(&(function, address)));
        let retired_cells = state.retired_cells.values().map(|cell| digest(&(cell.id.0, "retired cell")));
        // A sum, because tables have no order.
        cells.chain(names).chain(stubs).chain(retired_cells).fold(0, u64::wrapping_add)
    })
    .unwrap_or_default()
}

/// A quick digest, the same at every call: the tables' own hashers are seeded anew for each table.
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

fn digest(item: &impl Hash) -> u64 {
    let mut mixer = Mixer(0);
    item.hash(&mut mixer);
    mixer.finish()
}
