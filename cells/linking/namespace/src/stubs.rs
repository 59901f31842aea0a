//! The permanent stubs: the addresses by which functions are known to pointers and trait objects.
//!
//! A stub's address never changes while its cell lives, even when another function takes its place behind the stub. Stubs lie in text
//! pages. A page that gets new stubs is copied, the copy is completed while nothing runs from it, and then takes the
//! page's place: no page is ever writable and executable.

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

use addresses::PAGE_SIZE;
use hashbrown::{HashMap, TryReserveError};
use linker::{Address, CellId, Function, STUB_SIZE};
use mapping::{Executable, MappedPages};
use unwind_table::{Registration, TextRange};

use crate::segments::{TextPages, TextWriteError};

/// Stubs in one page.
const PER_PAGE: usize = PAGE_SIZE / STUB_SIZE;

/// Pages of a new area: room for 2,048 stubs.
const AREA_PAGES: usize = 4;

/// Adjoining pages of stubs.
#[derive(Debug)]
struct Area {
    base: u64,
    slots: usize,
    pages: TextPages,
    _frames: Registration,
}

/// Number of a stub: counts through all areas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    area: u32,
    index: u32,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    slot: Slot,
    entry: Address,
}

/// All stubs.
#[derive(Debug, Default)]
pub struct StubTable {
    areas: Vec<Area>,
    known: HashMap<Function, Known>,
    free: Vec<Slot>,
}

/// Offset of a stub in its page, and its bytes.
type Jump = (usize, [u8; STUB_SIZE]);

/// Stubs that are to be made when a load succeeds.
pub struct Stage<'a> {
    table: &'a mut StubTable,
    made: Vec<(Function, Known)>,
}

/// The frame description of a page of jumps: at each of them the stack is as at a function's entry.
///
/// Source: DWARF 5, 6.4.1, in the form of `.eh_frame` (LSB, 10.6.1): one CIE without augmentation and one FDE with
/// absolute pointers.
fn frame_description(start: u64, size: u64) -> Box<[u8]> {
    const CIE: [u8; 24] = [
        20, 0, 0, 0, 0, 0, 0, 0, // length, identifier of a CIE
        1, 0, 1, 0x78, 16, // version, no augmentation, code alignment 1, data alignment -8, return address in 16
        0x0c, 7, 8, // the frame's address is rsp + 8
        0x90, 1, // the return address is at its first word
        0, 0, 0, 0, 0, 0,
    ];
    let mut bytes = Vec::from(CIE);
    bytes.extend_from_slice(&20_u32.to_le_bytes());
    bytes.extend_from_slice(&28_u32.to_le_bytes());
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&size.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.into_boxed_slice()
}

impl Area {
    fn new(base: u64, slots: usize, pages: TextPages) -> Result<Self, TextWriteError> {
        let size = (slots * STUB_SIZE).next_multiple_of(PAGE_SIZE) as u64;
        // Areas are permanent, and so is the description of their frames.
        let description: &'static [u8] = Box::leak(frame_description(base, size));
        let entries = unwind_table::frame_entries(description, |_| false).map_err(TextWriteError::Frames)?;
        let range = TextRange { start: base, end: base + size };
        // SAFETY: the text is jumps, and the description, which is leaked, says so.
        let frames = unsafe { unwind_table::register(range, description, entries.into_boxed_slice()) }
            .map_err(TextWriteError::Frames)?;
        Ok(Self { base, slots: PER_PAGE * pages.count(), pages, _frames: frames })
    }
}

impl StubTable {
    /// Takes over the seed's stubs: `functions` with their entries, in order from `base`.
    pub(crate) fn adopt(
        &mut self,
        base: u64,
        functions: impl ExactSizeIterator<Item = (Function, u64)>,
        pages: TextPages,
    ) -> Result<(), TextWriteError> {
        let slots = functions.len();
        let area = Area::new(base, slots, pages)?;
        let number = u32::try_from(self.areas.len()).map_err(|_| TextWriteError::Full)?;
        for (index, (function, entry)) in (0..).zip(functions) {
            self.known.insert(function, Known { slot: Slot { area: number, index }, entry: Address::new(entry) });
        }
        let used = u32::try_from(slots).map_err(|_| TextWriteError::Full)?;
        let all = u32::try_from(area.slots).map_err(|_| TextWriteError::Full)?;
        self.free.extend((used..all).rev().map(|index| Slot { area: number, index }));
        self.areas.push(area);
        Ok(())
    }

    fn address(&self, slot: Slot) -> u64 {
        self.areas[slot.area as usize].base + u64::from(slot.index) * STUB_SIZE as u64
    }

    /// The address of the stub of `function`, if its address was ever taken.
    #[must_use]
    pub fn get(&self, function: Function) -> Option<u64> {
        self.known.get(&function).map(|known| self.address(known.slot))
    }

    /// All functions that have a stub, and where it is.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Function, u64)> {
        self.known.iter().map(|(function, known)| (*function, self.address(known.slot)))
    }

    /// The stubs of the functions that `cell` defines.
    pub fn of_cell(&self, cell: CellId) -> impl Iterator<Item = (Function, u64)> {
        self.known
            .iter()
            .filter(move |(function, _)| function.cell == cell)
            .map(|(function, known)| (*function, self.address(known.slot)))
    }

    /// The page that holds the stub at `address`: number of the area, index in it, offset of the stub in the page.
    #[must_use]
    pub fn place_of(&self, address: u64) -> Option<(usize, usize, usize)> {
        let inside = |area: &Area| (area.base..area.base + (area.slots * STUB_SIZE) as u64).contains(&address);
        let area = self.areas.iter().position(inside)?;
        let offset = usize::try_from(address - self.areas[area].base).ok()?;
        Some((area, offset / PAGE_SIZE, offset % PAGE_SIZE))
    }

    /// The pages of area `area`.
    #[must_use]
    pub fn area(&self, area: usize) -> &MappedPages<Executable> {
        self.areas[area].pages.mapping()
    }

    /// Stubs that lead elsewhere now: for each the old and the new function and the new entry. Takes no memory if room was
    /// made for as many.
    pub fn rename(&mut self, changes: &[(Function, Function, u64)]) {
        for (old, new, entry) in changes {
            if let Some(known) = self.known.remove(old) {
                self.known.insert(*new, Known { slot: known.slot, entry: Address::new(*entry) });
            }
        }
    }

    /// How many stubs there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// Frees the stubs of a cell that nothing refers to any more.
    pub(crate) fn remove(&mut self, cell: CellId) {
        let free = &mut self.free;
        self.known.retain(|function, known| {
            if function.cell == cell {
                free.push(known.slot);
            }
            function.cell != cell
        });
    }

    /// Makes room for the renaming of `count` stubs ([`StubTable::rename`]).
    ///
    /// # Errors
    /// There is no memory.
    pub fn try_reserve(&mut self, count: usize) -> Result<(), TryReserveError> {
        self.known.try_reserve(count)
    }

    /// Makes the table twice as large as its content. Stubs of applications come and go: a table that is at most half full is
    /// tidied up when removed entries have used up the rest; a fuller one would grow, at some moment of a long run.
    pub(crate) fn make_room(&mut self) {
        // Without the memory it grows later.
        let _ = self.known.try_reserve(self.known.len());
    }

    /// Frees the stubs of `functions`. No running code has the address of one of these.
    pub(crate) fn take_back(&mut self, functions: &[Function]) {
        for function in functions {
            self.free.extend(self.known.remove(function).map(|known| known.slot));
        }
    }

    /// Begins to collect new stubs.
    pub fn stage(&mut self) -> Stage<'_> {
        Stage { table: self, made: Vec::new() }
    }

    fn take_slot(&mut self) -> Option<Slot> {
        if self.free.is_empty() {
            let (base, pages) = TextPages::allocate(AREA_PAGES).ok()?;
            let number = u32::try_from(self.areas.len()).ok()?;
            let area = Area::new(base, AREA_PAGES * PER_PAGE, pages).ok()?;
            self.free.extend((0..u32::try_from(area.slots).ok()?).rev().map(|index| Slot { area: number, index }));
            self.areas.push(area);
        }
        self.free.pop()
    }
}

impl linker::Stubs for Stage<'_> {
    fn stub(&mut self, function: Function, entry: u64) -> Option<u64> {
        if let Some(known) = self.table.known.get(&function) {
            return Some(self.table.address(known.slot));
        }
        let slot = self.table.take_slot()?;
        let known = Known { slot, entry: Address::new(entry) };
        self.made.push((function, known));
        self.table.known.insert(function, known);
        Some(self.table.address(slot))
    }
}

impl Stage<'_> {
    /// Writes the new stubs and returns their functions.
    ///
    /// # Errors
    /// [`TextWriteError`]; none of the stubs exists then.
    pub fn commit(mut self) -> Result<Vec<Function>, TextWriteError> {
        let mut by_page: BTreeMap<(u32, usize), Vec<Jump>> = BTreeMap::new();
        for (_, known) in &self.made {
            let address = self.table.address(known.slot);
            let bytes = linker::stub(address, known.entry.get()).map_err(TextWriteError::Overflow)?;
            let offset = known.slot.index as usize * STUB_SIZE;
            let page = (known.slot.area, offset / PAGE_SIZE);
            by_page.entry(page).or_default().push((offset % PAGE_SIZE, bytes));
        }
        for ((area, page), changes) in by_page {
            // A stub may appear early, because no code has its address yet: a later error leaves it unused.
            self.table.areas[area as usize].pages.rewrite(page, |bytes| {
                for (offset, stub) in &changes {
                    bytes[*offset..*offset + STUB_SIZE].copy_from_slice(stub);
                }
            })?;
        }
        Ok(self.made.drain(..).map(|(function, _)| function).collect())
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        for (function, known) in self.made.drain(..) {
            self.table.known.remove(&function);
            self.table.free.push(known.slot);
        }
    }
}
