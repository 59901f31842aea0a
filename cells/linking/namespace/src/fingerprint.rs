//! One number for all that the namespace knows, for comparing it before and after.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use crate::state;

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
