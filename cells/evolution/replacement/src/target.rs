//! The difference between the build that the system is and another.

use alloc::{string::String, sync::Arc, vec::Vec};

use manifest::{CellEntry, Role};
use namespace::{BASE, LoadError, parts::State};

use crate::{Goal, ReplaceError};

/// A cell of which a build has another object than the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub cell: String,
    /// The object is the base's: an earlier swap had changed the cell, and the build does not.
    pub back: bool,
    /// An application, which is not loaded now.
    pub at_next_start: bool,
}

/// A build that the system can become.
pub(crate) struct Target {
    /// See [`State::build`].
    pub(crate) build: Option<usize>,
    /// Of the loaded cells that must be replaced.
    pub(crate) entries: Vec<Arc<CellEntry>>,
    pub(crate) changes: Vec<Change>,
}

/// The changes that lead to `goal`.
pub(crate) fn target(state: &State, goal: Goal<'_>) -> Result<Target, ReplaceError> {
    match goal {
        Goal::Build(name) => other_build(state, name),
        Goal::Fresh(name) => {
            // The task that runs an application owns its very cell.
            let cell = state.named(name).filter(|cell| cell.entry.role != Role::Application);
            let cell = cell.ok_or_else(|| LoadError::Unknown { cell: name.into() })?;
            let change = Change { cell: name.into(), back: false, at_next_start: false };
            let entries = alloc::vec![Arc::clone(&cell.entry)];
            Ok(Target { build: state.build, entries, changes: alloc::vec![change] })
        }
    }
}

/// The changes that make the system the build called `name`. Applications are loaded from the build that the system is, each
/// time anew; but one that is loaded now would go on in its old version.
fn other_build(state: &State, name: &str) -> Result<Target, ReplaceError> {
    let manifest = state.archive.manifest();
    let build = manifest.alternates.iter().position(|alternate| alternate.name == name);
    if build.is_none() && name != BASE {
        return Err(match manifest.cell(name) {
            Some(cell) => ReplaceError::NoAlternate { cell: cell.name.clone() },
            None => ReplaceError::Unknown { build: name.into() },
        });
    }
    if build == state.build {
        return Err(ReplaceError::Nothing { build: name.into() });
    }
    let alternate = build.and_then(|build| manifest.alternates.get(build));
    let mut target = Target { build, entries: Vec::new(), changes: Vec::new() };
    for base in &manifest.cells {
        let cell = &base.name;
        let (Some(now), Some(then)) = (state.entry(cell), manifest.cell_of(alternate, cell)) else { continue };
        if now.object.digest == then.object.digest {
            continue;
        }
        let is_loaded = state.named(cell).is_some();
        let is_application = then.role == Role::Application;
        if is_loaded && is_application {
            return Err(ReplaceError::Running { application: cell.clone() });
        }
        if is_loaded {
            target.entries.push(Arc::new(then.clone()));
        }
        let back = then.object.digest == base.object.digest;
        target.changes.push(Change { cell: cell.clone(), back, at_next_start: is_application });
    }
    Ok(target)
}
