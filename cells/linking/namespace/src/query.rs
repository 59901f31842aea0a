//! The loaded cells, as copies to look at.

use alloc::{string::String, vec::Vec};
use core::ops::Range;

use layout::Segment;
use manifest::{Digest, Role};
use object::SectionKind;

use crate::{cell::Cell, state};

/// One loaded cell.
#[derive(Clone, Debug)]
pub struct CellInfo {
    /// Name of the crate.
    pub name: String,
    /// The version as far as it is part of the identity.
    pub version: String,
    /// Folder under `cells/`, or `kernel`, `applications`, `rust`, `packages`.
    pub group: String,
    /// When it is loaded; [`Role::Seed`] cells were adopted.
    pub role: Role,
    /// Bytes of text.
    pub text: usize,
    /// Bytes of constants.
    pub constants: usize,
    /// Bytes of statics.
    pub data: usize,
    /// Bytes of thread locals in each task.
    pub thread_locals: usize,
    /// Of its object.
    pub digest: Digest,
    /// Whether the compiler was told to refuse `unsafe` in it.
    pub forbids_unsafe: bool,
    /// Number of `unsafe` places in its sources.
    pub unsafe_blocks: u32,
    /// How many cells it uses.
    pub uses: usize,
    /// How many cells use it.
    pub users: usize,
}

/// One section of a loaded cell.
#[derive(Clone, Debug)]
pub struct SectionInfo {
    /// Its name in the object.
    pub name: String,
    /// Where it is.
    pub address: u64,
    /// Bytes.
    pub size: usize,
    /// Its content.
    pub kind: SectionKind,
}

/// Everything about a loaded cell.
#[derive(Clone, Debug)]
pub struct CellDetail {
    /// As in the table of all cells.
    pub info: CellInfo,
    /// Its sections.
    pub sections: Vec<SectionInfo>,
    /// The cells it uses, with the number of references.
    pub uses: Vec<(String, usize)>,
    /// The cells that use it, with the number of references.
    pub users: Vec<(String, usize)>,
    /// Its statics: mangled name and size.
    pub statics: Vec<(String, usize)>,
    /// Addresses of text, constants and data.
    pub segments: [Range<u64>; 3],
}

fn info(cell: &Cell) -> CellInfo {
    let size = |segment| cell.layout.extent(segment).size;
    CellInfo {
        name: cell.entry.name.clone(),
        version: cell.entry.version.clone(),
        group: cell.entry.group.clone(),
        role: cell.entry.role,
        text: size(Segment::Text),
        constants: size(Segment::Constants),
        data: size(Segment::Data),
        thread_locals: size(Segment::Thread),
        digest: cell.entry.object.digest,
        forbids_unsafe: cell.entry.forbids_unsafe,
        unsafe_blocks: cell.entry.unsafe_blocks,
        uses: cell.used_cells().len(),
        users: cell.users.len(),
    }
}

/// All loaded cells, by name.
#[must_use]
pub fn cells() -> Vec<CellInfo> {
    let mut cells = state::look(|state| state.cells.values().map(info).collect::<Vec<_>>()).unwrap_or_default();
    cells.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    cells
}

/// Everything about the loaded cell called `name`.
#[must_use]
pub fn cell(name: &str) -> Option<CellDetail> {
    state::look(|state| {
        let cell = state.named(name)?;
        let object = cell.object().ok()?;
        let count = |user: &Cell, used| user.references.iter().filter(|reference| reference.cell == used).count();
        let sections = object.sections.iter().zip(&cell.layout.placements).map(|(section, placement)| SectionInfo {
            name: String::from(section.name),
            address: cell.bases.address(placement.segment, placement.offset),
            size: section.size,
            kind: section.kind,
        });
        Some(CellDetail {
            info: info(cell),
            sections: sections.collect(),
            uses: cell.used_cells().into_iter().map(|used| (state.name_of(used), count(cell, used))).collect(),
            users: cell
                .users
                .iter()
                .filter_map(|&user| state.cells.get(user))
                .map(|user| (user.entry.name.clone(), count(user, cell.id)))
                .collect(),
            statics: cell.statics(),
            segments: [Segment::Text, Segment::Constants, Segment::Data].map(|segment| cell.range(segment)),
        })
    })
    .flatten()
}

/// A global name that contains a word.
#[derive(Clone, Debug)]
pub struct SymbolInfo {
    /// Its name, mangled.
    pub name: String,
    /// The cell that defines it.
    pub cell: String,
    /// Where it is.
    pub address: u64,
}

/// The names that contain `word`, `most` of them at most, sorted. Mangled names contain identifiers as they are.
#[must_use]
pub fn symbols(word: &str, most: usize) -> Vec<SymbolInfo> {
    let mut symbols = state::look(|state| {
        let fitting = state.index.iter().filter(|(name, _)| name.contains(word)).take(most);
        let describe = |(name, global): (&str, &linker::Global)| SymbolInfo {
            name: String::from(name),
            cell: state.name_of(global.cell),
            address: global.address.get(),
        };
        fitting.map(describe).collect::<Vec<_>>()
    })
    .unwrap_or_default();
    symbols.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    symbols
}

/// How many permanent stubs there are, and how many global names.
#[must_use]
pub fn sizes() -> (usize, usize) {
    state::look(|state| (state.stubs.len(), state.index.len())).unwrap_or_default()
}

/// Names of all applications in the archive, sorted.
#[must_use]
pub fn applications() -> Vec<String> {
    state::look(|state| {
        let cells = &state.archive.manifest().cells;
        cells.iter().filter(|cell| cell.role == Role::Application).map(|cell| cell.name.clone()).collect()
    })
    .unwrap_or_default()
}
