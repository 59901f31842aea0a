//! The algorithms on a simulated processor: physical memory is a map, every access to a table goes through the tables
//! themselves, and a TLB remembers each entry that it once saw until told to forget.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use addresses::{Frame, FrameRange, PAGE_SIZE, Page, PageRange, VirtAddr};
use page_tables::*;

const HUGE: u64 = 1 << 7;

struct Simulated {
    memory: RefCell<HashMap<u64, u64>>,
    tlb: RefCell<HashMap<Page, Entry>>,
    root: Cell<Frame>,
    next_frame: Cell<u64>,
    frames_left: Cell<usize>,
}

fn frame(number: u64) -> Frame {
    Frame::from_number(number).unwrap()
}

fn pages(start: u64, count: usize) -> PageRange {
    PageRange::new(Page::containing(VirtAddr::new(start)), count).unwrap()
}

fn frames(first: u64, count: usize) -> FrameRange {
    FrameRange::new(frame(first), count).unwrap()
}

impl Simulated {
    fn new(frames_left: usize) -> Self {
        let root = frame(1);
        let machine = Self {
            memory: RefCell::default(),
            tlb: RefCell::default(),
            root: Cell::new(root),
            next_frame: Cell::new(2),
            frames_left: Cell::new(frames_left),
        };
        machine.poke(root, RECURSIVE_SLOT, Entry::table(root).bits());
        machine
    }

    fn poke(&self, table: Frame, index: u64, value: u64) {
        self.memory.borrow_mut().insert(table.start().as_u64() + index * 8, value);
    }

    fn peek(&self, physical: u64) -> u64 {
        self.memory.borrow().get(&physical).copied().unwrap_or(0)
    }

    fn fresh(&self) -> Option<Frame> {
        let left = self.frames_left.get().checked_sub(1)?;
        self.frames_left.set(left);
        self.next_frame.set(self.next_frame.get() + 1);
        Some(frame(self.next_frame.get()))
    }

    /// The processor's walk: from the root, four steps.
    fn walk(&self, page: Page) -> Option<Entry> {
        let mut table = self.root.get();
        for level in (1..=4).rev() {
            let index = page.number() >> (9 * (level - 1)) & 511;
            let entry = Entry::from_bits(self.peek(table.start().as_u64() + index * 8));
            if !entry.is_present() {
                return None;
            }
            if level == 1 {
                return Some(entry);
            }
            assert!(!entry.is_huge(), "the simulation has no large pages on this path");
            table = entry.frame();
        }
        None
    }

    fn physical(&self, address: VirtAddr) -> u64 {
        let page = Page::containing(address);
        let remembered = self.tlb.borrow().get(&page).copied();
        let entry = remembered.or_else(|| self.walk(page)).unwrap_or_else(|| panic!("page fault at {address:?}"));
        self.tlb.borrow_mut().insert(page, entry);
        entry.frame().start().as_u64() + address.as_u64() % PAGE_SIZE as u64
    }

    fn forget(&self, pages: PageRange) {
        self.tlb.borrow_mut().retain(|page, _| !pages.contains(*page));
    }

    fn touches(&self, page: Page) -> Option<Frame> {
        let remembered = self.tlb.borrow().get(&page).copied();
        let entry = remembered.or_else(|| self.walk(page))?;
        self.tlb.borrow_mut().insert(page, entry);
        Some(entry.frame())
    }
}

impl Machine for Simulated {
    fn load(&self, entry: VirtAddr) -> Entry {
        Entry::from_bits(self.peek(self.physical(entry)))
    }
    fn store(&self, entry: VirtAddr, value: Entry) {
        let physical = self.physical(entry);
        self.memory.borrow_mut().insert(physical, value.bits());
    }
    fn install_table(&self, entry: VirtAddr) -> bool {
        let Some(frame) = self.fresh() else { return false };
        self.store(entry, Entry::table(frame));
        true
    }
}

#[test]
fn what_is_mapped_is_translated() {
    let machine = Simulated::new(64);
    let range = pages(0xffff_b000_001f_f000, 3);
    map(&machine, Window::ACTIVE, range, frames(0x100, 3), Rights::Writable, true).unwrap();
    for (page, frame) in range.iter().zip(frames(0x100, 3).iter()) {
        assert_eq!(machine.touches(page), Some(frame));
        assert_eq!(read(&machine, Window::ACTIVE, page).rights(), Some(Rights::Writable));
    }
    assert_eq!(read(&machine, Window::ACTIVE, Page::containing(VirtAddr::new(0x1000))), Entry::EMPTY);
}

#[test]
fn a_failed_map_changes_no_translation() {
    let machine = Simulated::new(64);
    map(&machine, Window::ACTIVE, pages(0x5000, 1), frames(9, 1), Rights::ReadOnly, true).unwrap();
    let error = map(&machine, Window::ACTIVE, pages(0x3000, 4), frames(20, 4), Rights::Writable, true);
    assert_eq!(error, Err(TableError::Occupied(pages(0x5000, 1).first())));
    assert_eq!(machine.touches(pages(0x4000, 1).first()), None);
    assert_eq!(machine.touches(pages(0x5000, 1).first()), Some(frame(9)));
    let error = map(&machine, Window::ACTIVE, pages(0x8000, 2), frames(20, 3), Rights::Writable, true);
    assert_eq!(error, Err(TableError::Lengths { pages: 2, frames: 3 }));
}

#[test]
fn no_memory_for_a_table_is_an_error() {
    for available in 0..3 {
        let machine = Simulated::new(available);
        let error = map(&machine, Window::ACTIVE, pages(0x5000, 1), frames(9, 1), Rights::ReadOnly, true);
        assert_eq!(error, Err(TableError::NoMemory));
        assert_eq!(machine.touches(pages(0x5000, 1).first()), None);
    }
}

#[test]
fn withheld_pages_fault_and_keep_their_frames() {
    let machine = Simulated::new(64);
    let range = pages(0xffff_b000_0000_0000, 600);
    map(&machine, Window::ACTIVE, range, frames(0, 600), Rights::Writable, true).unwrap();
    for page in range.iter() {
        machine.touches(page);
    }
    withhold(&machine, Window::ACTIVE, range);
    assert!(range.iter().all(|page| machine.touches(page).is_some()), "what a CPU remembers it goes on using");
    machine.forget(range);
    assert!(range.iter().all(|page| machine.touches(page).is_none()));
    let error = map(&machine, Window::ACTIVE, range, frames(5000, 600), Rights::Writable, true);
    assert_eq!(error, Err(TableError::Occupied(range.first())), "frame 0 withheld is not an empty entry");
    reveal(&machine, Window::ACTIVE, range);
    assert!(range.iter().enumerate().all(|(index, page)| machine.touches(page) == Some(frame(index as u64))));
    withhold(&machine, Window::ACTIVE, range);
    machine.forget(range);
    let mut taken = 0;
    take(&machine, Window::ACTIVE, range, |_, entry| {
        assert_eq!(entry.frame(), frame(taken));
        assert!(entry.is_owned() && !entry.is_present());
        taken += 1;
    });
    assert_eq!(taken, 600);
    map(&machine, Window::ACTIVE, range, frames(5000, 600), Rights::Writable, true).unwrap();
}

#[test]
fn a_transfer_leaves_nothing_behind() {
    let machine = Simulated::new(64);
    let (alias, place) = (pages(0xffff_b000_0000_0000, 3), pages(0xffff_ffff_9000_0000, 3));
    map(&machine, Window::ACTIVE, alias, frames(40, 3), Rights::Writable, true).unwrap();
    machine.touches(alias.first());
    withhold(&machine, Window::ACTIVE, alias);
    machine.forget(alias);
    transfer(&machine, Window::ACTIVE, alias, place, Rights::Executable).unwrap();
    assert!(alias.iter().all(|page| machine.touches(page).is_none()));
    let entry = read(&machine, Window::ACTIVE, place.first());
    assert_eq!((entry.frame(), entry.rights(), entry.is_owned()), (frame(40), Some(Rights::Executable), true));
}

#[test]
fn every_rights_value_survives_the_entry_and_none_is_write_and_execute() {
    for rights in [Rights::ReadOnly, Rights::Writable, Rights::Executable, Rights::Device] {
        for other in [Rights::ReadOnly, Rights::Writable, Rights::Executable, Rights::Device] {
            let entry = Entry::leaf(frame(3), other, true).with_rights(rights);
            assert_eq!(entry.rights(), Some(rights));
            let (write, execute) = (entry.bits() & 2 != 0, entry.bits() >> 63 == 0);
            assert!(!(write && execute));
            assert_eq!(entry.bits() & HUGE, 0);
        }
    }
    assert_eq!(Entry::table(frame(1)).rights(), None);
}

#[test]
fn tables_not_in_use_are_built_through_another_slot() {
    let machine = Simulated::new(64);
    let new_root = frame(0x7000);
    machine.poke(new_root, RECURSIVE_SLOT, Entry::table(new_root).bits());
    machine.poke(machine.root.get(), 509, Entry::table(new_root).bits());
    let foreign = Window::through(509);
    let range = pages(0xffff_ffff_8010_0000, 520);
    map(&machine, foreign, range, frames(0x100, 520), Rights::Executable, false).unwrap();
    assert!(range.iter().all(|page| machine.touches(page).is_none()));
    machine.root.set(new_root);
    machine.tlb.borrow_mut().clear();
    assert!(range.iter().enumerate().all(|(i, page)| machine.touches(page) == Some(frame(0x100 + i as u64))));
    assert_eq!(read(&machine, Window::ACTIVE, range.first()).frame(), frame(0x100));
}

#[test]
fn for_each_sees_every_mapping_once() {
    let machine = Simulated::new(64);
    let ranges = [pages(0x8000, 2), pages(0x7fff_ffff_e000, 2), pages(0xffff_a000_001f_f000, 2)];
    for (index, range) in ranges.iter().enumerate() {
        map(&machine, Window::ACTIVE, *range, frames(index as u64 * 2, 2), Rights::ReadOnly, false).unwrap();
    }
    let mut seen = Vec::new();
    for_each(&machine, Window::ACTIVE, |page, entry| seen.push((page, entry.frame().number())));
    let expected: Vec<_> = ranges.iter().flat_map(|range| range.iter()).zip(0..).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_page_is_written_until_it_is_marked() {
    const DIRTY: u64 = 1 << 6;
    let machine = Simulated::new(64);
    let range = pages(0xffff_a000_0000_0000, 2);
    map(&machine, Window::ACTIVE, range, frames(0x200, 2), Rights::Writable, true).unwrap();
    let written = || range.iter().map(|page| read(&machine, Window::ACTIVE, page).is_written()).collect::<Vec<_>>();
    assert_eq!(written(), [false, false]);
    let entry = entry_of(&machine, Window::ACTIVE, range.first()).unwrap();
    let mapped = machine.load(entry);
    machine.store(entry, Entry::from_bits(mapped.bits() | DIRTY));
    assert_eq!(written(), [true, false]);
    mark_unwritten(&machine, Window::ACTIVE, range);
    assert_eq!(written(), [false, false]);
    assert_eq!(machine.load(entry), mapped);
}
