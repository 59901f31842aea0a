//! Replacing loaded cells by others of the same names: what the engine of evolution builds on.
//!
//! [`prepare`] does everything that can fail: the new cells are loaded beside the old ones, and for every place that
//! refers to an old cell the new content is ready. Nothing that runs sees any of it. The result says which words are to
//! be written while no CPU runs ([`Prepared::page_entries`], [`Prepared::words`]); after that [`Prepared::commit`] brings the
//! books up to date, which cannot fail and takes no memory. Dropping it instead undoes everything. While it lives no cell
//! comes or goes.
//!
//! What keeps its address: statics whose structure did not change (with their values), and every permanent stub.

mod build;
mod error;
mod examine;
mod patches;
mod prepared;
mod references;
mod retired;
mod target;

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{fmt, ops::Range};

use archive::Archive;
pub use comparison::Held;
pub use error::ReplaceError;
use linker::CellId;
use manifest::CellEntry;
use mapping::{MappedPages, Writable};
use prepared::Outcome;
pub use prepared::Prepared;
pub use retired::Retired;
pub use target::{AlternateInfo, BASE, Change, alternates, current};
use target::{Target, target};

use crate::{
    EntryPoint, LoadError,
    cell::Cell,
    load::{Candidate, fetch},
    state,
    turn::{self, Turn},
};

/// A word to be written while no CPU runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where.
    pub address: u64,
    /// What must still be there for it to be written.
    pub old: u64,
    /// What takes its place.
    pub new: u64,
    /// Size of the word: 4 or 8 bytes.
    pub bytes: usize,
}

/// A part of the text that no stack may be in when the change takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstable {
    /// Its addresses.
    pub range: Range<u64>,
    /// The cell.
    pub cell: String,
    /// The section's name.
    pub section: String,
}

/// The functions by which a cell hands its state over: mangled paths are in the manifest's cell of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateTransfer {
    /// `surrender` of the old cell.
    pub surrender: EntryPoint,
    /// `adopt` of the old cell, to give the state back.
    pub give_back: EntryPoint,
    /// `adopt` of the new cell.
    pub adopt: EntryPoint,
}

fn addresses(pages: &MappedPages<Writable>) -> Range<u64> {
    pages.start().as_u64()..pages.start().as_u64() + pages.len() as u64
}

/// Addresses of all statics of cells that are not replaced. What a replaced cell keeps of its own is used by nobody: text
/// that names a static which does not stay has been left before the change.
#[must_use]
pub fn data_ranges() -> Vec<Range<u64>> {
    let ranges = |cell: &Cell| cell.segments.data.iter().map(|pages| addresses(pages)).collect::<Vec<_>>();
    state::look(|state| state.cells.values().flat_map(ranges).collect()).unwrap_or_default()
}

/// The object files of all cells, replaced ones included: memory that holds no references.
#[must_use]
pub fn files() -> Vec<Arc<[u8]>> {
    let file = |cell: &Cell| Arc::clone(&cell.file);
    state::look(|state| state.cells.values().chain(state.retired_cells.values()).map(file).collect())
        .unwrap_or_default()
}

/// Whether `address` lies in a record of a cell. Nothing in a record refers to what a cell consists of, but what it was moved
/// over in memory may shine through where it has no value. For a scan that runs while all CPUs stand still.
#[must_use]
pub fn is_record(address: u64) -> bool {
    state::try_look(|state| state.cells.holds(address) || state.retired_cells.holds(address)).unwrap_or_default()
}

/// What the namespace is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal<'a> {
    /// The build of this name: an alternate, or [`BASE`].
    Build(&'a str),
    /// What it is, but the cell of this name, which is no application, is a fresh instance. No stack may be in any of the
    /// old one's text.
    Fresh(&'a str),
}

impl fmt::Display for Goal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(name) => f.write_str(name),
            Self::Fresh(cell) => write!(f, "of {cell} by itself"),
        }
    }
}

/// The cell in which the CPUs wait while words are exchanged.
const PIVOT: &str = "pivot";

/// Both versions of a cell that is to be replaced.
struct Versions {
    old: CellId,
    before: Candidate,
    after: Candidate,
}

/// Makes ready to change the namespace. Everything runs meanwhile, and preemption is off for one step at a time only.
///
/// # Errors
/// [`ReplaceError`] says which cell refuses and why; everything is as it was.
pub fn prepare(goal: Goal<'_>) -> Result<Prepared, ReplaceError> {
    let turn = Turn::take()?;
    let (Target { build, entries, changes }, archive) =
        turn.step(|state| target(state, goal).map(|target| (target, Arc::clone(&state.archive))))?;
    if let Some(entry) = entries.iter().find(|entry| entry.name == PIVOT) {
        return Err(ReplaceError::Permanent { cell: entry.name.clone() });
    }
    let versions = entries.into_iter().map(|entry| versions(&turn, &archive, entry)).collect::<Result<Vec<_>, _>>()?;
    let mut works = examine::examine_all(&turn, &archive, &versions)?;
    if let Goal::Fresh(_) = goal {
        works.iter_mut().for_each(|work| work.comparison.stable.clear());
    }
    let built = build::build_new(&turn, &works)?;
    let unstable = examine::unstable(&turn, &archive, &works)?;
    let patched = references::patch(&turn, &works, &built)?;
    Prepared::new(turn, built, patched, unstable, Outcome { build, changes })
}

fn versions(turn: &Turn, archive: &Archive<&'static [u8]>, entry: Arc<CellEntry>) -> Result<Versions, ReplaceError> {
    let after = fetch(archive, entry)?;
    let (old, before) = turn
        .step(|state| state.named(&after.entry.name).map(|cell| (cell.id, cell.candidate())))
        .ok_or_else(|| LoadError::Unknown { cell: after.entry.name.clone() })?;
    Ok(Versions { old, before, after })
}

/// Whoever held a [`Prepared`] has been lost with it, before it took effect: cells come and go again. What it consisted of
/// stays taken. Nothing happens if there is none.
pub fn abandon() {
    turn::abandon();
}
