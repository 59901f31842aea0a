//! Loading a set of cells: all of them, or none.

use alloc::{
    boxed::Box,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use archive::Archive;
use layout::{Layout, Segment};
use linker::{CellId, Duplicate, Function, Index, Input, Layered, Reference};
use manifest::CellEntry;
use object::{Object, SectionKind};
use unwind_table::TextRange;

use crate::{
    LoadError,
    cell::{Cell, Description},
    segments::Drafts,
    state::State,
};

/// A cell that is to be loaded: its entry in the manifest and the bytes of its object.
pub(crate) struct Candidate {
    pub(crate) entry: Arc<CellEntry>,
    pub(crate) file: Arc<[u8]>,
}

/// Who sees the names that a set of cells defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every cell that is loaded later.
    Shared,
    /// The set alone: an application may run twice at a time, each time as a cell of its own.
    Private,
}

/// A set of cells that has been loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) ids: Vec<CellId>,
    /// What they define.
    pub(crate) names: Index,
}

/// A set of cells in memory, linked, mapped and known to the unwinder, of which the namespace does not know yet.
pub(crate) struct Ready {
    pub(crate) cells: Vec<Cell>,
    /// What they define.
    names: Index,
    /// The functions for which stubs were made.
    pub(crate) stubs: Vec<Function>,
}

/// A cell between reading and the final mapping.
struct Draft {
    cell: Cell,
    memory: Drafts,
}

fn name(candidate: &Candidate) -> String {
    candidate.entry.name.clone()
}

/// Gets the object of a cell from the archive. Its digest has been checked when this returns.
pub(crate) fn fetch(archive: &Archive<&'static [u8]>, entry: Arc<CellEntry>) -> Result<Candidate, LoadError> {
    let file = archive.object(&entry).map_err(LoadError::Archive)?;
    Ok(Candidate { entry, file: file.into() })
}

/// Reads the object of `candidate`.
pub(crate) fn parse(candidate: &Candidate) -> Result<Object<'_>, LoadError> {
    Object::parse(&candidate.file).map_err(|error| LoadError::Object { cell: name(candidate), error })
}

impl State {
    /// Fetches cells of the build that the system is from the archive, whose digests have been checked when this returns.
    pub(crate) fn fetch(&self, names: &[&str]) -> Result<Vec<Candidate>, LoadError> {
        names.iter().map(|name| fetch(&self.archive, self.known(name)?)).collect()
    }

    /// What the manifest says of the cell called `name` in the build that the system is.
    pub(crate) fn known(&self, name: &str) -> Result<Arc<CellEntry>, LoadError> {
        let entry = self.entry(name).ok_or_else(|| LoadError::Unknown { cell: name.to_string() })?;
        Ok(Arc::new(entry.clone()))
    }

    /// Loads all `candidates`, of which `objects` were read; they may refer to each other and to everything loaded. On an
    /// error the namespace is as it was.
    pub(crate) fn load(
        &mut self,
        candidates: &[Candidate],
        objects: &[Object<'_>],
        scope: Scope,
    ) -> Result<Loaded, LoadError> {
        let Ready { cells, names, .. } = self.prepare(candidates, objects, scope)?;
        let ids = cells.iter().map(|cell| cell.id).collect();
        if scope == Scope::Shared {
            self.index.merge(names.clone());
        }
        self.enter(cells.into_iter().map(Box::new));
        Ok(Loaded { ids, names })
    }

    /// Does all of a load that can fail. On an error everything is as it was; what is returned has only made stubs, which
    /// may be taken back ([`crate::stubs::StubTable::take_back`]) as long as nobody runs the cells.
    pub(crate) fn prepare(
        &mut self,
        candidates: &[Candidate],
        objects: &[Object<'_>],
        scope: Scope,
    ) -> Result<Ready, LoadError> {
        self.check_names(candidates, scope)?;
        let mut drafts = Vec::with_capacity(candidates.len());
        for (candidate, object) in candidates.iter().zip(objects) {
            drafts.push(self.draft(candidate, object)?);
        }
        self.link(drafts, objects, scope)
    }

    fn check_names(&self, candidates: &[Candidate], scope: Scope) -> Result<(), LoadError> {
        for candidate in candidates {
            if scope == Scope::Shared && self.id_of(&candidate.entry.name).is_some() {
                return Err(LoadError::AlreadyLoaded { cell: name(candidate) });
            }
            let missing = candidate.entry.dependencies.iter().find(|&dependency| {
                self.id_of(dependency).is_none() && !candidates.iter().any(|other| other.entry.name == *dependency)
            });
            if let Some(dependency) = missing {
                return Err(LoadError::DependencyMissing { cell: name(candidate), dependency: dependency.clone() });
            }
        }
        Ok(())
    }

    /// Takes memory for a cell and copies its sections there.
    fn draft(&mut self, candidate: &Candidate, object: &Object<'_>) -> Result<Draft, LoadError> {
        let layout = Layout::new(object);
        if layout.extent(Segment::Boot).size > 0 {
            return Err(LoadError::Boot { cell: name(candidate) });
        }
        let (mut memory, mut bases) =
            Drafts::allocate(&layout).map_err(|error| LoadError::Memory { cell: name(candidate), error })?;
        for (section, placement) in object.sections.iter().zip(&layout.placements) {
            memory.write(placement.segment, placement.offset, section.bytes);
        }
        let thread = layout.extent(Segment::Thread);
        let mut thread_locals = None;
        if thread.size > 0 {
            let registration = thread_local_image::reserve(thread.size, thread.alignment)
                .map_err(|error| LoadError::ThreadLocals { cell: name(candidate), error })?;
            bases.thread = registration.distance() as u64;
            thread_locals = Some(registration);
        }
        let description = Description::new(object, &layout, &candidate.file);
        let (entry, file) = (candidate.entry.clone(), candidate.file.clone());
        let mut cell = Cell::new(self.take_id(), entry, file, layout, bases, description);
        cell.thread_locals = thread_locals;
        Ok(Draft { cell, memory })
    }

    /// Gives every reference of the drafts its value and maps them where they run.
    fn link(&mut self, mut drafts: Vec<Draft>, objects: &[Object<'_>], scope: Scope) -> Result<Ready, LoadError> {
        let mut own = Index::new();
        for (draft, object) in drafts.iter().zip(objects) {
            linker::exports(&input(&draft.cell, object), &mut own)
                .map_err(|error| duplicate(error, &draft.cell, drafts.iter().map(|draft| &draft.cell)))?;
        }
        if let (Scope::Shared, Some((error, id))) = (scope, self.index.conflict(&own))
            && let Some(draft) = drafts.iter().find(|draft| draft.cell.id == id)
        {
            return Err(duplicate(error, &draft.cell, self.cells.values()));
        }
        let names = Layered { upper: &own, lower: &self.index };
        let mut stage = self.stubs.stage();
        for (draft, object) in drafts.iter_mut().zip(objects) {
            let Draft { cell, memory } = draft;
            let placements = &cell.layout.placements;
            let mut image = ThreadImage::new(object, &cell.layout);
            let mut write = |section: usize, offset: usize, bytes: &[u8]| {
                let placement = placements[section];
                match placement.segment {
                    Segment::Thread => image.write(placement.offset + offset, bytes),
                    segment => memory.write(segment, placement.offset + offset, bytes),
                }
            };
            let references = linker::link(&input(cell, object), &names, &mut stage, &mut write)
                .map_err(|error| LoadError::Link { cell: cell.entry.name.clone(), error })?;
            if let Some(thread_locals) = &mut cell.thread_locals {
                thread_locals
                    .publish(&image.bytes)
                    .map_err(|error| LoadError::ThreadLocals { cell: cell.entry.name.clone(), error })?;
            }
            cell.references = references;
        }
        let cells = finish(drafts)?;
        // Last, so that on any error before no stub was made. The cells refer to the stubs already, but nobody runs them.
        let stubs = stage.commit().map_err(LoadError::Stubs)?;
        Ok(Ready { cells, names: own, stubs })
    }

    /// Makes finished cells part of the namespace, and tells those they use. Takes no memory if room was made before.
    pub(crate) fn enter(&mut self, cells: impl Iterator<Item = Box<Cell>>) {
        let mut numbers: Option<(CellId, CellId)> = None;
        // All of them first: they may refer to each other.
        for cell in cells {
            // The debugger's script reads these lines.
            let digest = u64::from_be_bytes(*cell.entry.object.digest.first_chunk().unwrap_or(&[0; 8]));
            log::trace!("loaded {} {digest:016x}, text at {:#x}", cell.entry.name, cell.bases.text.get());
            let first = numbers.map_or(cell.id, |(first, _)| first);
            numbers = Some((first, cell.id));
            self.cells.insert(cell);
        }
        let Some((CellId(first), CellId(last))) = numbers else { return };
        // The numbers of a set are consecutive.
        for user in (first..=last).map(CellId) {
            let Some(cell) = self.cells.get_mut(user) else { continue };
            let references = core::mem::take(&mut cell.references);
            for reference in &references {
                if let Some(used) = self.cells.get_mut(reference.cell) {
                    used.add_user(user);
                }
            }
            if let Some(cell) = self.cells.get_mut(user) {
                cell.references = references;
            }
        }
    }
}

/// `cell` defines a name that another one has; who that is, is found among `others`.
pub(crate) fn duplicate<'a>(error: Duplicate, cell: &Cell, mut others: impl Iterator<Item = &'a Cell>) -> LoadError {
    let first = others.find(|other| other.id == error.first).unwrap_or(cell);
    LoadError::Duplicate { cell: cell.entry.name.clone(), first: first.entry.name.clone(), error }
}

/// The distinct cells that `references` lead to.
pub(crate) fn used_cells(references: &[Reference]) -> Vec<CellId> {
    let mut used: Vec<CellId> = references.iter().map(|reference| reference.cell).collect();
    used.sort_unstable();
    used.dedup();
    used
}

pub(crate) fn input<'a>(cell: &'a Cell, object: &'a Object<'a>) -> Input<'a> {
    Input { cell: cell.id, object, layout: &cell.layout, bases: cell.bases }
}

/// The initial bytes of a cell's thread locals.
pub(crate) struct ThreadImage {
    pub(crate) bytes: Vec<u8>,
}

impl ThreadImage {
    pub(crate) fn new(object: &Object<'_>, layout: &Layout) -> Self {
        let mut image = Self { bytes: alloc::vec![0; layout.extent(Segment::Thread).size] };
        for (section, placement) in object.sections.iter().zip(&layout.placements) {
            if placement.segment == Segment::Thread {
                image.write(placement.offset, section.bytes);
            }
        }
        image
    }

    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

/// Maps the drafts where they run and tells the unwinder of them.
fn finish(drafts: Vec<Draft>) -> Result<Vec<Cell>, LoadError> {
    let mut cells = Vec::with_capacity(drafts.len());
    for Draft { mut cell, memory } in drafts {
        cell.segments = memory.finish().map_err(|error| LoadError::Memory { cell: cell.entry.name.clone(), error })?;
        register_frames(&mut cell)?;
        cells.push(cell);
    }
    Ok(cells)
}

/// Tells the unwinder how to leave the functions of `cell`, whose segments are in place.
#[expect(clippy::cast_possible_truncation, reason = "an address of this machine is a usize")]
pub(crate) fn register_frames(cell: &mut Cell) -> Result<(), LoadError> {
    let refused = |error| LoadError::Frames { cell: cell.entry.name.clone(), error };
    let object = cell.object().map_err(|error| LoadError::Object { cell: cell.entry.name.clone(), error })?;
    let Some(section) = object.sections.iter().position(|section| section.kind == SectionKind::Frames) else {
        return Ok(());
    };
    let size = object.sections[section].size;
    drop(object);
    let text = cell.range(Segment::Text);
    if text.is_empty() || size == 0 {
        return Ok(());
    }
    let placement = cell.layout.placements[section];
    let address = cell.bases.address(placement.segment, placement.offset);
    // SAFETY: the section lies in the cell's constants, which stay mapped as long as the cell lives; the registration
    // is a field of the cell and is dropped before them.
    let bytes: &'static [u8] =
        unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(address as usize), size) };
    let entries = unwind_table::frame_entries(bytes, |start| cell.is_isolated_function(start)).map_err(refused)?;
    let range = TextRange { start: text.start, end: text.end };
    let registration = unwind_table::register(range, bytes, entries.into_boxed_slice()).map_err(refused)?;
    cell.frames = Some(registration);
    Ok(())
}
