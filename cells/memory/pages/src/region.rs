//! How the address space is divided.

use core::fmt;

use addresses::{PAGE_SIZE, Page, PageRange, VirtAddr};
use range_allocator::{RangeAllocator, words_for};
use spin_lock::SpinLock;

/// A part of the address space with a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// The first MiB, for the code and data that a starting CPU must find at their physical addresses.
    Low,
    /// The kernel heap, which grows from the bottom.
    Heap,
    /// Stacks, devices, temporary aliases, and the mappings of all other owners.
    General,
    /// The seed image. The pages that its cells leave free have no other use: addresses there say "adopted".
    Seed,
    /// Loaded cells: within 2 GiB of each other and of the seed, as the code model demands.
    Cells,
}

struct Extent {
    name: &'static str,
    start: u64,
    pages: usize,
}

const GIB: usize = 1 << 30;

/// In the order of the enum. Heap and general pages are 4 GiB each: a map of that size takes 128 KiB, and a task takes
/// about 50 pages of address space.
const EXTENTS: [Extent; 5] = [
    Extent { name: "low memory", start: 0x1000, pages: 255 },
    Extent { name: "heap", start: 0xffff_a000_0000_0000, pages: 4 * GIB / PAGE_SIZE },
    Extent { name: "general pages", start: 0xffff_b000_0000_0000, pages: 4 * GIB / PAGE_SIZE },
    Extent { name: "seed image", start: 0xffff_ffff_8000_0000, pages: 0x1000_0000 / PAGE_SIZE },
    Extent { name: "cells", start: 0xffff_ffff_9000_0000, pages: 0x6000_0000 / PAGE_SIZE },
];

const WORDS: usize = {
    let (mut sum, mut index) = (0, 0);
    while index < EXTENTS.len() {
        sum += words_for(EXTENTS[index].pages);
        index += 1;
    }
    sum
};

/// The maps of all regions. Zero, so that the image does not carry them; the first user of each region cuts its part
/// off.
static WORDS_LEFT: spin::Mutex<[u64; WORDS]> = spin::Mutex::new([0; WORDS]);

static MAPS: SpinLock<Maps> = SpinLock::new(Maps { unused: None, regions: [const { None }; EXTENTS.len()] });

struct Maps {
    unused: Option<&'static mut [u64]>,
    regions: [Option<RangeAllocator<'static>>; EXTENTS.len()],
}

impl Maps {
    fn region(&mut self, region: Region) -> &mut RangeAllocator<'static> {
        let Self { unused, regions } = self;
        let pages = region.extent().pages;
        regions[region as usize].get_or_insert_with(|| {
            let rest = unused.take().unwrap_or_else(|| spin::MutexGuard::leak(WORDS_LEFT.lock()).as_mut_slice());
            let (own, rest) = rest.split_at_mut(words_for(pages));
            *unused = Some(rest);
            RangeAllocator::all_free(own, pages)
        })
    }
}

impl Region {
    fn extent(self) -> &'static Extent {
        &EXTENTS[self as usize]
    }

    /// Its first address.
    pub fn start(self) -> VirtAddr {
        VirtAddr::new_truncate(self.extent().start)
    }

    /// How many pages it has.
    pub fn pages(self) -> usize {
        self.extent().pages
    }

    /// How many of them are free.
    pub fn free_pages(self) -> usize {
        self.with_map(|map| map.free_count())
    }

    /// Calls `action` with the region's map, locked.
    pub(crate) fn with_map<R>(self, action: impl FnOnce(&mut RangeAllocator<'static>) -> R) -> R {
        action(MAPS.lock().region(self))
    }

    /// The pages `index..index + count` of the region.
    pub(crate) fn range(self, index: usize, count: usize) -> Option<PageRange> {
        let first = Page::from_number(Page::containing(self.start()).number() + index as u64)?;
        PageRange::new(first, count)
    }

    /// The region in which the whole range lies, and the index there of its first page.
    pub(crate) fn of(range: PageRange) -> Option<(Self, usize)> {
        [Self::Low, Self::Heap, Self::General, Self::Seed, Self::Cells].into_iter().find_map(|region| {
            let index = range.first().number().checked_sub(Page::containing(region.start()).number())?;
            let index = usize::try_from(index).ok()?;
            (index < region.pages() && range.count() <= region.pages() - index).then_some((region, index))
        })
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.extent().name)
    }
}
