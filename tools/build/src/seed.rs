//! Lays out and links the seed: nano_core and all cells that it uses.
//!
//! The work is done by the `layout` and `linker` cells, the same that load every other cell in the kernel; here they
//! write into memory of the host that becomes the image.

use std::collections::{BTreeSet, HashMap};

use layout::{Layout, Segment};
use linker::{Address, Bases, CellId, Function, Index, Input, STUB_SIZE, Stubs};
use manifest::{Digest, SeedCell, SeedMap};

use crate::{
    BuildError,
    cells::{Cell, Graph},
};

/// The cell with the entry.
pub const ENTRY_CELL: &str = "nano_core";
/// Where the boot loader puts the image.
pub const PHYSICAL_BASE: u64 = 0x10_0000;
/// A physical address in the image appears this much higher, in the top 2 GiB.
pub const VIRTUAL_OFFSET: u64 = 0xffff_ffff_8000_0000;

const PAGE: u64 = 4096;

/// A run of pages of the image with one set of rights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Address of the first byte.
    pub start: u64,
    /// What is there; a whole number of pages.
    pub bytes: Vec<u8>,
}

impl Range {
    /// The first address after it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn write(&mut self, address: u64, bytes: &[u8]) {
        let start = usize::try_from(address - self.start).expect("the address is in this range of the image");
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
    }
}

/// The linked seed.
#[derive(Debug)]
pub struct Seed {
    /// Places in the list of all cells, sorted; the position here is the cell's number.
    pub members: Vec<usize>,
    /// The `.boot` section of nano_core, at its physical address.
    pub boot: Range,
    /// Stubs and text of all cells.
    pub text: Range,
    /// Constants of all cells.
    pub constants: Range,
    /// Statics of all cells.
    pub data: Range,
    /// Offset of the symbol `seed_image` in `boot`: where [`crate::image`] enters the ranges.
    pub header: usize,
    bases: Vec<Bases>,
    stubs: Vec<Function>,
    names: Vec<String>,
}

/// What the stubs need to know while the seed is linked.
struct SeedStubs {
    base: u64,
    capacity: usize,
    functions: Vec<Function>,
    entries: Vec<u64>,
    number_of: HashMap<Function, usize>,
}

impl Stubs for SeedStubs {
    fn stub(&mut self, function: Function, entry: u64) -> Option<u64> {
        let next = self.functions.len();
        let number = *self.number_of.entry(function).or_insert(next);
        if number == next {
            if next == self.capacity {
                return None;
            }
            self.functions.push(function);
            self.entries.push(entry);
        }
        Some(self.base + (number * STUB_SIZE) as u64)
    }
}

impl Seed {
    /// Chooses the cells of the seed, gives them addresses and links them.
    ///
    /// # Errors
    /// An object that cells may not be, a symbol that no cell defines, a target out of reach.
    ///
    /// # Panics
    /// If the seed has more than 2³² cells.
    pub fn plan(cells: &[Cell], graph: &Graph) -> Result<Self, BuildError> {
        let entry = cells
            .iter()
            .position(|cell| cell.name() == ENTRY_CELL)
            .ok_or_else(|| BuildError::Missing { what: format!("the cell {ENTRY_CELL}") })?;
        let members: Vec<usize> = graph.closure(entry).into_iter().collect();
        let objects = members.iter().map(|&cell| cells[cell].object()).collect::<Result<Vec<_>, _>>()?;
        let layouts: Vec<Layout> = objects.iter().map(Layout::new).collect();
        for (&member, layout) in members.iter().zip(&layouts) {
            if layout.extent(Segment::Boot).size > 0 && member != entry {
                return Err(BuildError::StrayBoot { cell: cells[member].name().to_owned() });
            }
        }
        let capacity = count_address_taken(&objects);
        let (mut seed, bases) = place(&layouts, members, capacity);
        let mut index = Index::new();
        let inputs: Vec<Input<'_>> = objects
            .iter()
            .zip(&layouts)
            .zip(&bases)
            .zip(0..)
            .map(|(((object, layout), &bases), number)| Input { cell: CellId(number), object, layout, bases })
            .collect();
        for input in &inputs {
            let name = |cell: CellId| cells[seed.members[cell.0 as usize]].name().to_owned();
            linker::exports(input, &mut index).map_err(|duplicate| BuildError::Duplicate {
                first: name(duplicate.first),
                second: name(input.cell),
                symbol: duplicate.symbol.to_string(),
            })?;
        }
        let mut stubs = SeedStubs {
            base: seed.text.start,
            capacity,
            functions: Vec::new(),
            entries: Vec::new(),
            number_of: HashMap::new(),
        };
        for (input, &member) in inputs.iter().zip(&seed.members.clone()) {
            seed.link(input, &index, &mut stubs)
                .map_err(|source| BuildError::Link { cell: cells[member].name().to_owned(), source })?;
        }
        for (number, &target) in stubs.entries.iter().enumerate() {
            let address = stubs.base + (number * STUB_SIZE) as u64;
            seed.text.write(address, &linker::stub(address, target).map_err(BuildError::Stub)?);
        }
        seed.header = objects
            .iter()
            .flat_map(|object| &object.symbols)
            .find_map(|symbol| (symbol.name == "seed_image").then_some(symbol.definition?.1))
            .ok_or_else(|| BuildError::Missing { what: "the symbol `seed_image`".to_owned() })?;
        seed.names = seed.members.iter().map(|&member| cells[member].name().to_owned()).collect();
        seed.bases = bases;
        seed.stubs = stubs.functions;
        Ok(seed)
    }

    fn link(&mut self, input: &Input<'_>, index: &Index, stubs: &mut SeedStubs) -> Result<(), linker::LinkError> {
        for (number, section) in input.object.sections.iter().enumerate() {
            if !section.bytes.is_empty() {
                self.write(input, number, 0, section.bytes);
            }
        }
        linker::link(input, index, stubs, &mut |section, offset, bytes| self.write(input, section, offset, bytes))?;
        Ok(())
    }

    fn write(&mut self, input: &Input<'_>, section: usize, offset: usize, bytes: &[u8]) {
        let range = match input.layout.placements[section].segment {
            Segment::Text => &mut self.text,
            Segment::Constants => &mut self.constants,
            Segment::Data => &mut self.data,
            Segment::Boot => &mut self.boot,
            // The initial image of thread locals is read from the object when a task is made; nothing is fixed yet.
            Segment::Thread | Segment::Fixed => return,
        };
        range.write(input.address(section, offset), bytes);
    }

    /// The map that goes into the image.
    #[must_use]
    pub fn map(&self, build: Digest) -> SeedMap {
        SeedMap {
            build,
            cells: self
                .names
                .iter()
                .zip(&self.bases)
                .map(|(name, bases)| SeedCell {
                    name: name.clone(),
                    text: bases.text.get(),
                    constants: bases.constants.get(),
                    data: bases.data.get(),
                    thread: bases.thread,
                })
                .collect(),
            stubs: self.text.start,
            stub_functions: self
                .stubs
                .iter()
                .map(|function| (function.cell.0, function.section, function.offset))
                .collect(),
        }
    }
}

/// An upper bound for the number of stubs: the distinct symbols that have their address taken.
fn count_address_taken(objects: &[object::Object<'_>]) -> usize {
    let mut taken = BTreeSet::new();
    for (number, object) in objects.iter().enumerate() {
        for section in 0..object.sections.len() {
            for relocation in object.relocations(section).iter().filter(|relocation| relocation.kind.takes_address()) {
                taken.insert((number, relocation.symbol));
            }
        }
    }
    taken.len()
}

fn pages(size: usize) -> u64 {
    (size as u64).next_multiple_of(PAGE)
}

/// Gives every segment of every cell pages of its own: boot, stubs and text, constants, data, in this order.
fn place(layouts: &[Layout], members: Vec<usize>, stubs: usize) -> (Seed, Vec<Bases>) {
    let mut bases = vec![Bases::default(); layouts.len()];
    let boot: usize = layouts.iter().map(|layout| layout.extent(Segment::Boot).size).sum();
    let range = |start: u64, end: u64| Range {
        start,
        bytes: vec![0; usize::try_from(end - start).expect("the image is smaller than 2 GiB")],
    };
    let mut next = VIRTUAL_OFFSET + PHYSICAL_BASE + pages(boot);
    let text = next;
    next += pages(stubs * STUB_SIZE);
    for (layout, bases) in layouts.iter().zip(&mut bases) {
        bases.boot = PHYSICAL_BASE;
        bases.text = Address::new(next);
        next += pages(layout.extent(Segment::Text).size);
    }
    let constants = next;
    for (layout, bases) in layouts.iter().zip(&mut bases) {
        bases.constants = Address::new(next);
        next += pages(layout.extent(Segment::Constants).size);
    }
    let data = next;
    for (layout, bases) in layouts.iter().zip(&mut bases) {
        bases.data = Address::new(next);
        next += pages(layout.extent(Segment::Data).size);
    }
    let mut thread = 0_u64;
    for (layout, bases) in layouts.iter().zip(&mut bases) {
        let extent = layout.extent(Segment::Thread);
        if extent.size > 0 {
            thread = (thread + extent.size as u64).next_multiple_of(extent.alignment as u64);
            bases.thread = thread;
        }
    }
    let seed = Seed {
        members,
        boot: range(PHYSICAL_BASE, PHYSICAL_BASE + pages(boot)),
        text: range(text, constants),
        constants: range(constants, data),
        data: range(data, next),
        header: 0,
        bases: Vec::new(),
        stubs: Vec::new(),
        names: Vec::new(),
    };
    (seed, bases)
}
