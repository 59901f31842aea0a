//! Replacing loaded cells by others of the same names: the preparation and the bookkeeping of a swap.
//!
//! [`prepare`] does everything that can fail: the new cells are loaded beside the old ones, and for every place that
//! refers to an old cell the new content is ready. No running code sees any of it. The result says which words are to
//! be exchanged while no CPU runs ([`Prepared::page_entries`], [`Prepared::words`]); after that [`Prepared::commit`] brings the
//! tables of the namespace up to date, which cannot fail and takes no memory. Dropping it instead undoes everything. While it
//! lives no cell comes or goes.
//!
//! Statics with an unchanged structure keep their address and value, and every permanent stub keeps its address.
#![no_std]

extern crate alloc;

mod change;
mod error;
mod examine;
mod new_cells;
mod patches;
mod prepared;
mod references;

use alloc::{sync::Arc, vec::Vec};

use archive::Archive;
use change::Versions;
pub use change::{Change, Goal, StateTransfer, Unstable};
pub use comparison::Incompatibility;
pub use error::ReplaceError;
use manifest::{CellEntry, Role};
use namespace::{
    BASE, LoadError,
    parts::{Candidate, ReplaceCap, State, Transaction},
};
use prepared::Outcome;
pub use prepared::Prepared;

// SAFETY: the tables change in `Prepared::commit` only, which is called when the running code has changed in the same way.
const RIGHT: ReplaceCap = unsafe { ReplaceCap::new() };

/// A build that the system can become.
struct Target {
    /// See [`State::build`].
    build: Option<usize>,
    /// Of the loaded cells that must be replaced.
    entries: Vec<Arc<CellEntry>>,
    changes: Vec<Change>,
}

/// The cell in which the CPUs wait while words are exchanged.
const PIVOT: &str = "pivot";

/// Makes ready to change the namespace. Everything runs meanwhile, and preemption is off for one step at a time only.
///
/// # Errors
/// [`ReplaceError`] says which cell refuses and why; everything is as it was.
pub fn prepare(goal: Goal<'_>) -> Result<Prepared, ReplaceError> {
    let transaction = Transaction::begin(RIGHT).map_err(|error| match error {
        LoadError::Replacing => ReplaceError::Busy,
        error => error.into(),
    })?;
    let (Target { build, entries, changes }, archive) =
        transaction.step(|state| target(state, goal).map(|target| (target, Arc::clone(&state.archive))))?;
    if let Some(entry) = entries.iter().find(|entry| entry.name == PIVOT) {
        return Err(ReplaceError::Permanent { cell: entry.name.clone() });
    }
    let versions =
        entries.into_iter().map(|entry| versions(&transaction, &archive, entry)).collect::<Result<Vec<_>, _>>()?;
    let mut works = examine::examine_all(&transaction, &archive, &versions)?;
    if let Goal::Fresh(_) = goal {
        works.iter_mut().for_each(|work| work.comparison.stable.clear());
    }
    let built = new_cells::build(&transaction, &works)?;
    let unstable = examine::unstable(&transaction, &archive, &works)?;
    let patched = references::patch(&transaction, &works, &built)?;
    Prepared::new(transaction, built, patched, unstable, Outcome { build, changes })
}

fn versions(
    transaction: &Transaction,
    archive: &Archive<&'static [u8]>,
    entry: Arc<CellEntry>,
) -> Result<Versions, ReplaceError> {
    let after = Candidate::fetch(archive, entry)?;
    let (old, before) = transaction
        .step(|state| state.named(&after.entry.name).map(|cell| (cell.id, Candidate::of(cell))))
        .ok_or_else(|| LoadError::Unknown { cell: after.name() })?;
    Ok(Versions { old, before, after })
}

/// The changes that lead to `goal`.
fn target(state: &State, goal: Goal<'_>) -> Result<Target, ReplaceError> {
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

/// Gives up the change of a task that has been lost with its [`Prepared`]: cells come and go again. The memory of the prepared
/// cells stays taken. Nothing happens if no change is prepared.
///
/// # Safety
/// The words of the change have not been exchanged, and will not be: no task has a [`Prepared`] that it goes on with.
pub unsafe fn abandon() {
    namespace::parts::abandon(RIGHT);
}
