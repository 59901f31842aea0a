//! Which memory there is, and the map of its taken frames.

use addresses::{Frame, FrameRange, PAGE_SIZE, Page, PageRange, PhysAddr, VirtAddr, pages_for};
use range_allocator::{RangeAllocator, words_for};

use crate::{FramesError, INVENTORY};

/// The first MiB belongs to firmware, to devices, and to the trampoline of starting CPUs.
const LOW_MEMORY_END: usize = 0x10_0000;
/// 64 GiB: the map then takes 2 MiB. Memory above is left alone.
const MAX_FRAMES: usize = 1 << 24;
/// Firmware describes memory in a dozen regions; ours are the seed, the modules and a few tables.
const MAX_REGIONS: usize = 64;

/// A stretch of physical memory as firmware or boot loader describes it, not necessarily of whole frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysicalRange {
    /// The first byte.
    pub start: PhysAddr,
    /// How many bytes.
    pub bytes: u64,
}

/// The physical memory from 0 on that the boot code's tables show in one piece.
#[derive(Clone, Copy, Debug)]
pub struct BootWindow {
    /// Where physical address 0 is seen.
    pub base: VirtAddr,
    /// How many bytes are seen.
    pub bytes: u64,
}

/// Where the map of frames is: final page tables must show it at the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Where it is seen.
    pub pages: PageRange,
    /// Where it is.
    pub frames: FrameRange,
}

/// Stretches of frame numbers, `first..end`.
#[derive(Clone, Copy)]
struct Regions {
    list: [(usize, usize); MAX_REGIONS],
    count: usize,
}

impl Regions {
    const EMPTY: Self = Self { list: [(0, 0); MAX_REGIONS], count: 0 };

    fn push(&mut self, first: usize, end: usize) -> Result<(), FramesError> {
        if first < end {
            *self.list.get_mut(self.count).ok_or(FramesError::TooManyRegions)? = (first, end);
            self.count += 1;
        }
        Ok(())
    }

    fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        self.list[..self.count].iter().copied()
    }
}

pub(crate) struct Inventory {
    map: Option<RangeAllocator<'static>>,
    storage: Option<Storage>,
    usable: Regions,
    reserved: Regions,
    total: usize,
}

impl Inventory {
    pub(crate) const EMPTY: Self =
        Self { map: None, storage: None, usable: Regions::EMPTY, reserved: Regions::EMPTY, total: 0 };

    pub(crate) fn map(&mut self) -> Result<&mut RangeAllocator<'static>, FramesError> {
        self.map.as_mut().ok_or(FramesError::NoUsableMemory)
    }

    /// Frames of usable memory in all, and free ones.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.total, self.map.as_ref().map_or(0, RangeAllocator::free_count))
    }

    /// An owner takes up the reserved memory in `first..end`: from now on it is like any other memory.
    fn take_up(&mut self, first: usize, end: usize) {
        for region in &mut self.reserved.list {
            if region.0 < end && first < region.1 {
                *region = (0, 0);
            }
        }
    }

    /// Whether part of `first..end` is usable memory that is not reserved.
    fn manages(&self, first: usize, end: usize) -> bool {
        self.usable.iter().any(|(usable, usable_end)| {
            let (mut at, stop) = (first.max(usable), end.min(usable_end));
            // Step over reserved stretches until a frame is in none of them.
            while let Some((_, past)) = self.reserved.iter().find(|(from, to)| at < stop && *from <= at && at < *to) {
                at = past;
            }
            at < stop
        })
    }
}

/// Takes over the machine's memory: `usable` less `reserved` and the first MiB becomes free. The map of frames is put
/// into the lowest free place that `window` shows, and reserved itself.
///
/// # Errors
/// The map of frames fits nowhere.
///
/// # Safety
/// Of the memory that `usable` lists, only the parts in `reserved` are in use. `window` shows the memory that it names,
/// readable and writable. The function runs once.
pub unsafe fn init(
    usable: &[PhysicalRange],
    reserved: &[PhysicalRange],
    window: BootWindow,
) -> Result<Storage, FramesError> {
    let mut inventory = INVENTORY.lock();
    let new = &mut *inventory;
    for range in usable {
        let (first, end) = inner_frames(range);
        new.usable.push(first.max(LOW_MEMORY_END / PAGE_SIZE), end.min(MAX_FRAMES))?;
    }
    for range in reserved {
        let (first, end) = outer_frames(range);
        new.reserved.push(first, end)?;
    }
    let length = new.usable.iter().map(|(_, end)| end).max().ok_or(FramesError::NoUsableMemory)?;
    let (first, storage) = place_map(new, pages_for(words_for(length) * size_of::<u64>()), window)?;
    new.reserved.push(first, first + storage.frames.count())?;

    let words = storage.pages.bytes() / size_of::<u64>();
    // SAFETY: the frames are usable, not reserved until just now, and the window shows them at this address.
    let map = unsafe { core::slice::from_raw_parts_mut(storage.pages.start().as_mut_ptr::<u64>(), words) };
    new.map = Some(mark_all(map, length, &new.usable, &new.reserved));
    new.total = new.usable.iter().map(|(first, end)| end - first).sum();
    new.storage = Some(storage);
    Ok(storage)
}

/// The lowest `count` consecutive frames that are usable, not reserved and seen through the window.
fn place_map(inventory: &Inventory, count: usize, window: BootWindow) -> Result<(usize, Storage), FramesError> {
    let seen = saturated(window.bytes) / PAGE_SIZE;
    // The lowest fitting place begins where usable memory begins or where a reserved stretch ends.
    let starts = inventory.usable.iter().map(|(first, _)| first);
    let first = starts
        .chain(inventory.reserved.iter().map(|(_, end)| end))
        .filter(|first| {
            let end = first + count;
            end <= seen
                && inventory.usable.iter().any(|(from, to)| from <= *first && end <= to)
                && !inventory.reserved.iter().any(|(from, to)| from < end && *first < to)
        })
        .min()
        .ok_or(FramesError::NoUsableMemory)?;
    let frame = Frame::from_number(first as u64).ok_or(FramesError::OutOfBounds)?;
    let page = Page::containing(window.base + frame.start().as_u64());
    let frames = FrameRange::new(frame, count).ok_or(FramesError::OutOfBounds)?;
    let pages = PageRange::new(page, count).ok_or(FramesError::OutOfBounds)?;
    Ok((first, Storage { pages, frames }))
}

fn mark_all<'map>(words: &'map mut [u64], length: usize, usable: &Regions, reserved: &Regions) -> RangeAllocator<'map> {
    let mut map = RangeAllocator::all_taken(words, length);
    for (first, end) in usable.iter() {
        // Regions of a careless firmware may overlap; a frame that is free already stays free.
        map.free_overlapping(first, end - first);
    }
    for (first, end) in reserved.iter() {
        map.reserve_overlapping(first, end - first);
    }
    map
}

/// The whole frames inside.
fn inner_frames(range: &PhysicalRange) -> (usize, usize) {
    let (start, end) = bounds(range);
    (start.div_ceil(PAGE_SIZE), end / PAGE_SIZE)
}

/// All frames that are touched.
fn outer_frames(range: &PhysicalRange) -> (usize, usize) {
    let (start, end) = bounds(range);
    (start / PAGE_SIZE, end.div_ceil(PAGE_SIZE))
}

fn bounds(range: &PhysicalRange) -> (usize, usize) {
    let start = range.start.as_u64();
    (saturated(start), saturated(start.saturating_add(range.bytes)))
}

/// As an index; a number too large for one is beyond all memory.
fn saturated(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Whether this crate can hand out, or has handed out, any of these frames. It never hands out devices and the
/// firmware's tables, nor memory that was reserved at [`init`] and that no owner has taken up.
pub fn is_managed(range: FrameRange) -> bool {
    INVENTORY.lock().manages(saturated(range.first().number()), saturated(range.end_number()))
}

/// The owner of a part of the seed takes it up. Its frames will be handed out when he frees them.
pub(crate) fn take_up(range: FrameRange) {
    INVENTORY.lock().take_up(saturated(range.first().number()), saturated(range.end_number()));
}

/// Where the map of frames is, once [`init`] has placed it.
pub fn storage() -> Option<Storage> {
    INVENTORY.lock().storage
}
