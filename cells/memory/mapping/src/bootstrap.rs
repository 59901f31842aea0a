//! The way from the boot code's page tables to the final ones.

use core::fmt;

use addresses::{Frame, FrameRange, PAGE_SIZE, Page, PageRange, PhysAddr, VirtAddr};
use frames::{BootWindow, FramesError, Purpose};
use page_tables::{Entry, Machine, RECURSIVE_SLOT, Rights, TableError, Window};
use x86_64::registers::control::{Cr3, Cr3Flags, Cr4, Cr4Flags};
use x86_64::structures::paging::PhysFrame;

use crate::hardware::{self, ACTIVE, Processor};

/// Free in the boot code's top table; the new tables hang there until they are in use.
const NEW_SLOT: u64 = 509;
/// The top table must lie where a starting CPU, still in 32-bit mode, can load its address.
const REACHABLE_FRAMES: u64 = (4 << 30) / PAGE_SIZE as u64;

/// A part of the seed image, of whole pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedRange {
    /// Where it begins.
    pub start: VirtAddr,
    /// How many pages.
    pub pages: usize,
    /// The rights from now on.
    pub rights: Rights,
}

/// Why the final tables could not be built. There is no way on from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootstrapError {
    /// A frame was needed and is not there, or is not seen through the window.
    Frames(FramesError),
    /// The range could not be mapped.
    Table(SeedRange, TableError),
    /// The range is no range of pages within the window.
    Seed(SeedRange),
    /// No page is left for making tables.
    NoPage,
}

impl fmt::Display for BootstrapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frames(error) => error.fmt(f),
            Self::Table(range, error) => write!(f, "seed image at {:#x}: {error}", range.start),
            Self::Seed(range) => write!(f, "seed image at {:#x}: not within the boot window", range.start),
            Self::NoPage => write!(f, "no page for making page tables"),
        }
    }
}

impl core::error::Error for BootstrapError {}

/// The boot code's tables, and the new ones beside them.
struct Builder {
    window: BootWindow,
}

impl Builder {
    /// A frame for a table, cleared through the boot code's window.
    fn table(&self) -> Result<Frame, FramesError> {
        let limit = REACHABLE_FRAMES.min(self.window.bytes / PAGE_SIZE as u64);
        let frame = frames::try_allocate_below(limit, 1, 1, Purpose::PageTables)?.into_range().first();
        let seen: VirtAddr = self.window.base + frame.start().as_u64();
        // SAFETY: the window shows the frame, which has no other owner.
        unsafe { seen.as_mut_ptr::<u8>().write_bytes(0, PAGE_SIZE) };
        Ok(frame)
    }
}

impl Machine for Builder {
    fn load(&self, entry: VirtAddr) -> Entry {
        Processor.load(entry)
    }
    fn store(&self, entry: VirtAddr, value: Entry) {
        Processor.store(entry, value);
    }
    fn install_table(&self, entry: VirtAddr) -> bool {
        let table = self.table();
        if let Ok(frame) = table {
            self.store(entry, Entry::table(frame));
        }
        table.is_ok()
    }
}

/// Builds the final page tables and switches to them: the seed image at its addresses in its final rights, the map of
/// frames, the recursive slot, and nothing else. Frames of the seed belong to its mapping from now on; see
/// [`crate::adopt`].
///
/// # Errors
/// [`BootstrapError`]. The boot code's tables stay in use.
///
/// # Safety
/// Runs once, on the boot CPU, on the boot code's tables, which have the recursive slot and `window`; `frames` is
/// initialised with the seed reserved; stack and code in use lie in `seed`, and nothing outside it is used afterwards.
pub unsafe fn bootstrap(seed: &[SeedRange], window: BootWindow) -> Result<(), BootstrapError> {
    let builder = Builder { window };
    let root = builder.table().map_err(BootstrapError::Frames)?;
    let new = Window::through(NEW_SLOT);
    builder.store(ACTIVE.entry(4, page_of_slot(NEW_SLOT)), Entry::table(root));
    let in_window: VirtAddr = window.base + root.start().as_u64() + RECURSIVE_SLOT * size_of::<Entry>() as u64;
    // SAFETY: the window shows the new top table, which has no other owner.
    unsafe { in_window.as_mut_ptr::<Entry>().write(Entry::table(root)) };

    for range in seed {
        let pages = PageRange::new(Page::containing(range.start), range.pages).ok_or(BootstrapError::Seed(*range))?;
        let frames = frames_of(range, window).ok_or(BootstrapError::Seed(*range))?;
        page_tables::map(&builder, new, pages, frames, range.rights, true)
            .map_err(|error| BootstrapError::Table(*range, error))?;
    }
    if let Some(map) = frames::storage() {
        let range = SeedRange { start: map.pages.start(), pages: map.pages.count(), rights: Rights::Writable };
        page_tables::map(&builder, new, map.pages, map.frames, Rights::Writable, false)
            .map_err(|error| BootstrapError::Table(range, error))?;
    }
    let clearing = pages::allocate(1).map_err(|_| BootstrapError::NoPage)?.into_range();
    page_tables::prepare(&builder, new, clearing).map_err(|_| BootstrapError::NoPage)?;

    // SAFETY: the new tables map the code, the stack and the data in use at their addresses; the caller's promise.
    unsafe {
        // The boot code's tables may have global entries, which loading CR3 would keep; ours have none.
        Cr4::update(|flags| flags.remove(Cr4Flags::PAGE_GLOBAL));
        Cr3::write(PhysFrame::containing_address(root.start()), Cr3Flags::empty());
    }
    hardware::set_clearing_page(clearing.first());
    Ok(())
}

/// The frame of the top table, below 4 GiB: starting CPUs load it into CR3.
pub fn root() -> Frame {
    Frame::containing(PhysAddr::new_truncate(Cr3::read().0.start_address().as_u64()))
}

/// A page that the processor reaches through entry `slot` of the top table.
fn page_of_slot(slot: u64) -> Page {
    Page::containing(VirtAddr::new_truncate(slot << 39))
}

/// The frames behind a range of the seed, which the boot code's window shows.
fn frames_of(range: &SeedRange, window: BootWindow) -> Option<FrameRange> {
    let offset = range.start.as_u64().checked_sub(window.base.as_u64())?;
    let end = offset.checked_add((range.pages * PAGE_SIZE) as u64)?;
    if !range.start.is_aligned(PAGE_SIZE as u64) || end > window.bytes {
        return None;
    }
    FrameRange::new(Frame::containing(PhysAddr::try_new(offset).ok()?), range.pages)
}
