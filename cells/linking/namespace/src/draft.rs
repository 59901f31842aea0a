//! A cell between its object and the namespace: the one piece of code by which cells are laid out, linked and mapped, when
//! they are loaded and when they replace others.
//!
//! The steps are [`Candidate::fetch`], [`Draft::new`], [`Draft::export`] for all cells of a set, [`Draft::link`], [`Draft::finish`]. Until the last one
//! no code of the cell can run; a draft that is dropped leaves nothing.

use alloc::{boxed::Box, string::String, sync::Arc};

use archive::Archive;
use layout::{Layout, Segment};
use linker::{CellId, Duplicate, Index, Names, Stubs};
use manifest::CellEntry;
use object::{Object, SectionKind};
use thread_local_image::{ImageError, Registration, Reserved};
use unwind_table::TextRange;

use crate::{
    LoadError,
    cell::{Cell, Description},
    segments::Drafts,
};

/// A cell that is to be loaded: its entry in the manifest and the bytes of its object.
#[derive(Debug)]
pub struct Candidate {
    /// Its entry in the manifest.
    pub entry: Arc<CellEntry>,
    /// The bytes of its object.
    pub file: Arc<[u8]>,
}

impl Candidate {
    /// Gets the object of a cell from the archive. Its digest has been checked when this returns.
    ///
    /// # Errors
    /// [`LoadError::Archive`] if the archive has other bytes than the manifest tells of.
    pub fn fetch(archive: &Archive<&'static [u8]>, entry: Arc<CellEntry>) -> Result<Self, LoadError> {
        let file = archive.object(&entry).map_err(LoadError::Archive)?;
        Ok(Self { entry, file: file.into() })
    }

    /// The entry and object that `cell` was loaded from.
    #[must_use]
    pub fn of(cell: &Cell) -> Self {
        Self { entry: Arc::clone(&cell.entry), file: Arc::clone(&cell.file) }
    }

    /// The name of the cell.
    #[must_use]
    pub fn name(&self) -> String {
        self.entry.name.clone()
    }

    /// Reads the object.
    ///
    /// # Errors
    /// [`LoadError::Object`] if it is damaged, or is no cell's.
    pub fn object(&self) -> Result<Object<'_>, LoadError> {
        Object::parse(&self.file).map_err(|error| LoadError::Object { cell: self.name(), error })
    }
}

/// The place of a new cell's thread locals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadLocals {
    /// A place of their own, if the cell has any.
    New,
    /// At this distance: the place, and the values, of the thread locals of the cell that is replaced.
    Kept(u64),
}

/// A cell in memory that nothing can reach yet.
#[derive(Debug)]
pub struct Draft<'a> {
    cell: Box<Cell>,
    object: &'a Object<'a>,
    memory: Drafts,
    thread_image: ThreadImage,
}

impl<'a> Draft<'a> {
    /// Takes memory for a cell with the number `id`, and copies the sections of its `object` there.
    ///
    /// # Errors
    /// [`LoadError`] if there is no memory, or the object has a section that only the seed may have.
    pub fn new(
        id: CellId,
        candidate: &Candidate,
        object: &'a Object<'a>,
        layout: Layout,
        thread_locals: ThreadLocals,
    ) -> Result<Self, LoadError> {
        if layout.extent(Segment::Boot).size > 0 {
            return Err(LoadError::Boot { cell: candidate.name() });
        }
        let (mut memory, mut bases) =
            Drafts::allocate(&layout).map_err(|error| LoadError::Memory { cell: candidate.name(), error })?;
        for (section, placement) in object.sections.iter().zip(&layout.placements) {
            memory.write(placement.segment, placement.offset, section.bytes);
        }
        let thread = layout.extent(Segment::Thread);
        let place = match thread_locals {
            ThreadLocals::New if thread.size > 0 => {
                let place = thread_local_image::reserve(thread.size, thread.alignment)
                    .map_err(|error| LoadError::ThreadLocals { cell: candidate.name(), error })?;
                bases.thread = place.distance() as u64;
                Some(place)
            }
            ThreadLocals::New => None,
            ThreadLocals::Kept(distance) => {
                bases.thread = distance;
                None
            }
        };
        let thread_image = ThreadImage::new(object, &layout, place);
        let description = Description::new(object, &layout, &candidate.file);
        let (entry, file) = (Arc::clone(&candidate.entry), Arc::clone(&candidate.file));
        let cell = Box::new(Cell::new(id, entry, file, layout, bases, description));
        Ok(Self { cell, object, memory, thread_image })
    }

    /// The cell, without references and memory.
    #[must_use]
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// Enters the names that the cell defines into `names`.
    ///
    /// # Errors
    /// [`Duplicate`] if a name is there already.
    pub fn export(&self, names: &mut Index) -> Result<(), Duplicate> {
        linker::exports(&self.cell.input(self.object), names)
    }

    /// Gives each reference of the cell its value, from `names` and `stubs`.
    ///
    /// # Errors
    /// [`LoadError::Link`] names the reference that has none.
    pub fn link(&mut self, names: &dyn Names, stubs: &mut dyn Stubs) -> Result<(), LoadError> {
        let Self { cell, object, memory, thread_image } = self;
        let placements = &cell.layout.placements;
        let mut write = |section: usize, offset: usize, bytes: &[u8]| {
            let placement = placements[section];
            match placement.segment {
                Segment::Thread => thread_image.write(placement.offset + offset, bytes),
                segment => memory.write(segment, placement.offset + offset, bytes),
            }
        };
        let references = linker::link(&cell.input(object), names, stubs, &mut write)
            .map_err(|error| LoadError::Link { cell: cell.entry.name.clone(), error })?;
        cell.references = references;
        Ok(())
    }

    /// Gives all tasks the thread locals, maps the cell where it will run, and tells the unwinder of it.
    ///
    /// # Errors
    /// [`LoadError`] if there is no memory, or the frame information is damaged.
    pub fn finish(self) -> Result<Box<Cell>, LoadError> {
        let Self { mut cell, memory, thread_image, .. } = self;
        let name = || cell.entry.name.clone();
        let thread_locals = thread_image.publish().map_err(|error| LoadError::ThreadLocals { cell: name(), error })?;
        let segments = memory.finish().map_err(|error| LoadError::Memory { cell: name(), error })?;
        cell.thread_locals = thread_locals;
        cell.segments = segments;
        register_frames(&mut cell)?;
        Ok(cell)
    }
}

/// The initial bytes of a cell's thread locals while the cell is linked; none if their place is another cell's, or there are
/// no thread locals.
#[derive(Debug)]
pub(crate) struct ThreadImage(Option<Reserved>);

impl ThreadImage {
    /// Copies the sections of `object` to `place`.
    pub(crate) fn new(object: &Object<'_>, layout: &Layout, place: Option<Reserved>) -> Self {
        let mut image = Self(place);
        for (section, placement) in object.sections.iter().zip(&layout.placements) {
            if placement.segment == Segment::Thread {
                image.write(placement.offset, section.bytes);
            }
        }
        image
    }

    /// Writes `bytes` at `offset`, which the linker keeps within the layout that the place was reserved for.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let place = self.0.as_mut().and_then(|place| place.bytes_mut().get_mut(offset..)?.get_mut(..bytes.len()));
        if let Some(place) = place {
            place.copy_from_slice(bytes);
        }
    }

    /// Gives the thread locals to all tasks.
    pub(crate) fn publish(self) -> Result<Option<Registration>, ImageError> {
        self.0.map(Reserved::publish).transpose()
    }
}

/// The error for a name of `cell` that another cell has already; `others` are searched for that one.
pub fn duplicate<'a>(error: Duplicate, cell: &Cell, mut others: impl Iterator<Item = &'a Cell>) -> LoadError {
    let first = others.find(|other| other.id == error.first).unwrap_or(cell);
    LoadError::Duplicate { cell: cell.entry.name.clone(), first: first.entry.name.clone(), error }
}

/// Tells the unwinder how to leave the functions of `cell`. The segments of the cell are in place.
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
    // SAFETY: the section was made by the compiler for this text and relocated with it. Both are the cell's, which is freed
    // only when no stack holds a frame of it.
    let registration = unsafe { unwind_table::register(range, bytes, entries.into_boxed_slice()) }.map_err(refused)?;
    cell.frames = Some(registration);
    Ok(())
}
