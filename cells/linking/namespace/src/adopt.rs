//! Takes up the seed: cells that the host has linked become cells like all others.
//!
//! The same objects are in the archive. Each is read and linked once more, with the addresses from the image's section
//! map and without writing a byte, so that names, references and frames are known as for a cell that was loaded here.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use archive::Archive;
use layout::{Layout, Segment};
use linker::{Address, Bases, CellId, Function, Stubs};
use manifest::SeedMap;

use crate::{
    LoadError,
    cell::{Cell, Description},
    draft::{Candidate, ThreadImage, duplicate, register_frames},
    segments::{Segments, TextPages},
    state::{self, State},
};

/// While the seed is linked again, its stubs are only looked up.
struct Lookup<'a> {
    map: &'a SeedMap,
    known: hashbrown::HashMap<Function, u64>,
}

impl<'a> Lookup<'a> {
    fn new(map: &'a SeedMap) -> Self {
        let known = map
            .stub_functions
            .iter()
            .zip(0_u64..)
            .map(|(&(cell, section, offset), number)| {
                let function = Function { cell: CellId(cell), section, offset };
                (function, map.stubs + number * linker::STUB_SIZE as u64)
            })
            .collect();
        Self { map, known }
    }

    fn bytes(&self) -> usize {
        self.map.stub_functions.len() * linker::STUB_SIZE
    }
}

impl Stubs for Lookup<'_> {
    fn stub(&mut self, function: Function, _entry: u64) -> Option<u64> {
        self.known.get(&function).copied()
    }
}

/// Makes `archive` the source of all cells and takes up the seed as `map` describes it.
///
/// # Errors
/// Image and archive do not belong together, or the archive is damaged. There is then no namespace.
///
/// # Safety
/// Called once, with the map that the host put into the running image. The pages of the image have no owner yet.
pub unsafe fn adopt(archive: Archive<&'static [u8]>, map: &SeedMap) -> Result<usize, LoadError> {
    if *archive.build() != map.build {
        return Err(LoadError::OtherBuild);
    }
    let mut state = State::new(archive);
    let names: Vec<&str> = map.cells.iter().map(|cell| cell.name.as_str()).collect();
    let candidates = state.fetch(&names)?;
    let objects = candidates.iter().map(Candidate::object).collect::<Result<Vec<_>, _>>()?;
    let mut cells = Vec::with_capacity(candidates.len());
    for ((candidate, object), seed) in candidates.iter().zip(&objects).zip(&map.cells) {
        let layout = Layout::new(object);
        let bases = Bases {
            text: Address::new(seed.text),
            constants: Address::new(seed.constants),
            data: Address::new(seed.data),
            boot: 0,
            thread: seed.thread,
        };
        let description = Description::new(object, &layout, &candidate.file);
        let (entry, file) = (candidate.entry.clone(), Arc::clone(&candidate.file));
        let cell = Cell::new(state.take_id(), entry, file, layout, bases, description);
        linker::exports(&cell.input(object), &mut state.index)
            .map_err(|error| duplicate(error, &cell, cells.iter()))?;
        cells.push(cell);
    }
    let mut stubs = Lookup::new(map);
    for ((cell, object), candidate) in cells.iter_mut().zip(&objects).zip(&candidates) {
        // SAFETY: the caller's promise.
        unsafe { adopt_one(&state, cell, object, candidate, &mut stubs) }?;
    }
    adopt_stubs(&mut state, &stubs, &cells)?;
    for cell in &mut cells {
        register_frames(cell)?;
    }
    let count = cells.len();
    state.enter(cells.into_iter().map(Box::new));
    state::install(state);
    Ok(count)
}

/// # Safety
/// As for [`adopt`].
unsafe fn adopt_one(
    state: &State,
    cell: &mut Cell,
    object: &object::Object<'_>,
    candidate: &Candidate,
    stubs: &mut Lookup<'_>,
) -> Result<(), LoadError> {
    let name = || candidate.name();
    let thread = cell.layout.extent(Segment::Thread);
    let refused = |error| LoadError::ThreadLocals { cell: name(), error };
    let distance = usize::try_from(cell.bases.thread).unwrap_or(usize::MAX);
    let place = (thread.size > 0).then(|| thread_local_image::reserve_at(distance, thread.size)).transpose();
    let mut image = ThreadImage::new(object, &cell.layout, place.map_err(refused)?);
    let placements = &cell.layout.placements;
    let references = linker::link(&cell.input(object), &state.index, stubs, &mut |section, offset, bytes| {
        // Everything else is in the image; thread locals are made from the object for each task.
        if placements[section].segment == Segment::Thread {
            image.write(placements[section].offset + offset, bytes);
        }
    });
    cell.references = references.map_err(|error| LoadError::Link { cell: name(), error })?;
    cell.thread_locals = image.publish().map_err(refused)?;
    // SAFETY: the caller's promise.
    cell.segments = unsafe { Segments::adopt(&cell.layout, &cell.bases) }
        .map_err(|error| LoadError::Memory { cell: name(), error })?;
    Ok(())
}

fn adopt_stubs(state: &mut State, stubs: &Lookup<'_>, cells: &[Cell]) -> Result<(), LoadError> {
    let refused = |error| LoadError::Memory { cell: "(stubs)".into(), error };
    // SAFETY: the stubs of the seed are text of its own, which gets its owner here only.
    let Some(pages) = unsafe { TextPages::adopt(stubs.map.stubs, stubs.bytes()) }.map_err(refused)? else {
        return Ok(());
    };
    let functions = stubs.map.stub_functions.iter().map(|&(number, section, offset)| {
        let cell = cells.get(number as usize);
        let entry = cell.map_or(0, |cell| {
            let placement = cell.layout.placements[section as usize];
            cell.bases.address(placement.segment, placement.offset + offset as usize)
        });
        (Function { cell: CellId(number), section, offset }, entry)
    });
    state.stubs.adopt(stubs.map.stubs, functions.collect::<Vec<_>>().into_iter(), pages).map_err(LoadError::Stubs)
}
