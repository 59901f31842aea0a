//! All loaded cells, and how a cell comes and goes.
//!
//! Guarantees:
//! - there is one copy of each crate; names are matched exactly; text, constants and data of each cell are mapped apart
//!   with their own rights, never writable and executable, not even at two addresses of one frame;
//! - loading is all or nothing: on an error ([`LoadError`] names cell, section and symbol) the namespace is as it was;
//! - every reference between cells is known on both sides; a function has a permanent stub if its address is taken;
//! - adopted cells (the seed, laid out by the host) and loaded ones differ in nothing but [`manifest::Role`];
//! - only code with a right changes cells that are loaded: [`ReplaceCap`](parts::ReplaceCap) to replace them,
//!   [`ReclaimCap`](parts::ReclaimCap) to free replaced ones.
//!
//! A cell that others use cannot be unloaded. The query that recovery needs ([`location_of`]) waits for another CPU only, and
//! not for long.
#![no_std]

extern crate alloc;

mod adopt;
mod applications;
mod builds;
mod cell;
mod draft;
mod entry;
mod error;
mod fingerprint;
mod holder;
mod load;
mod location;
mod query;
mod retired;
mod segments;
mod state;
mod stubs;
mod table;
mod transaction;
mod trial;

use alloc::vec::Vec;

pub use adopt::adopt;
pub use applications::{LoadedApplication, application, changes};
pub use builds::{AlternateInfo, BASE, alternates, current_build};
use draft::Candidate;
pub use entry::EntryPoint;
pub use error::{EntryType, LoadError};
pub use fingerprint::fingerprint;
pub use holder::{Holder, Referrer};
pub use linker::{CellId, LinkErrorKind};
pub use load::Scope;
pub use location::{Location, location_of, static_at};
pub use manifest::Role;
pub use object::{ObjectError, SectionKind};
pub use query::{CellDetail, CellInfo, SectionInfo, SymbolInfo, applications, cell, cells, sizes, symbols};
pub use retired::{RetiredCell, any_retired, retired_cells};
pub use segments::TextWriteError;
pub use trial::{archived, archived_object, check_object};

/// The parts of the namespace, for the crates that replace cells and free replaced ones. Each function that changes a loaded
/// cell wants a right.
pub mod parts {
    pub use crate::{
        cell::{Cell, PendingCell},
        draft::{Candidate, Draft, ThreadLocals, duplicate},
        retired::{ReclaimCap, Traces, data_ranges, files, free_retired, is_record, retired_name_at, retired_traces},
        state::State,
        stubs::{Stage, StubTable},
        table::Table,
        transaction::{ReplaceCap, Transaction, abandon},
    };
}

/// Loads every cell that belongs to the kernel and is not there yet; returns how many.
///
/// # Errors
/// [`LoadError`]; the namespace is then as it was.
pub fn load_kernel() -> Result<usize, LoadError> {
    state::with(|state| {
        let names: Vec<_> = state
            .archive
            .manifest()
            .cells
            .iter()
            .filter(|cell| cell.role == Role::Kernel && state.id_of(&cell.name).is_none())
            .map(|cell| cell.name.clone())
            .collect();
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        let candidates = state.fetch(&names)?;
        let objects = candidates.iter().map(Candidate::object).collect::<Result<Vec<_>, _>>()?;
        let loaded = state.load(&candidates, &objects, load::Scope::Shared)?.ids.len();
        state.stubs.make_room();
        Ok(loaded)
    })
}

/// The function to which the boot code hands over, from the manifest.
///
/// # Errors
/// [`LoadError::Unknown`] if no loaded cell defines it.
pub fn entry() -> Result<EntryPoint, LoadError> {
    state::with(|state| {
        let name = &state.archive.manifest().entry;
        let unknown = || LoadError::Unknown { cell: name.clone() };
        let global = state.index.get(name).ok_or_else(unknown)?;
        let cell = state.cells.get(global.cell).ok_or_else(unknown)?;
        // SAFETY: the index has the address from the object of that cell.
        Ok(unsafe { EntryPoint::new(&cell.entry, name, global.address.get()) })
    })
}
