//! The general allocator (`talc`) and the pages it stands on.

use core::alloc::Layout;
use core::ops::Range;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use addresses::{PAGE_SIZE, Page, PageRange, VirtAddr, pages_for};
use cpu_local::{InterruptGuard, MAX_CPUS, PerCpu, cpu_id};
use frames::Purpose;
use mapping::{MapError, MappedPages, Writable};
use pages::Region;
use size_classes::Class;
use spin_lock::SpinLock;
use talc::base::Talc;
use talc::base::binning::DefaultBinning;
use talc::source::Manual;

use crate::{Cache, Statistics, local};

/// The heap grows by at least this much: a growth costs about as much as 30 allocations.
const GROWTH_PAGES: usize = 16;
/// Room for the allocator's lists when it starts, and for the tag before a block.
const OVERHEAD: usize = 4096;

/// Unused bytes that are worth giving back at once: more than a few applications together need.
const MUCH: usize = 4 << 20;
/// Bytes of the arena that are not in use, as of the last change.
static SPARE: AtomicUsize = AtomicUsize::new(0);

type Allocator = Talc<Manual, DefaultBinning>;

struct Heap {
    talc: Allocator,
    /// Set while the lock is held: a task that finds it set took the lock after a holder that died half-way. (Poison
    /// does not say so: if the holder's own frame was unwound, the holder released the lock in the ordinary way.)
    changing: bool,
    /// The arena that grows: from `top.start` to `top.end`. The end is where the next pages should come.
    top: Range<usize>,
    /// Blocks outside the current allocator's arenas, which a damaged one has left behind, lie below this address.
    abandoned_below: usize,
    arena: usize,
    used: usize,
    lost: usize,
}

// SAFETY: the pointers inside lead to the heap's own pages, which any CPU may use.
unsafe impl Send for Heap {}

static HEAP: SpinLock<Heap> = SpinLock::new(Heap {
    talc: Talc::new(Manual),
    changing: false,
    top: 0..0,
    abandoned_below: 0,
    arena: 0,
    used: 0,
    lost: 0,
});

/// Runs `action` on the heap, which is sound: a damaged allocator is set aside first.
fn with_heap<R>(action: impl FnOnce(&mut Heap) -> R) -> R {
    let mut heap = HEAP.lock();
    if heap.changing {
        heap.abandon();
        HEAP.clear_poison();
    }
    heap.changing = true;
    let outcome = action(&mut heap);
    heap.changing = false;
    SPARE.store(heap.arena.saturating_sub(heap.used), Ordering::Relaxed);
    outcome
}

/// Tries; when there is no memory, asks all keepers for spare frames, with no lock held, and tries once more.
fn with_patience(mut attempt: impl FnMut(&mut Heap) -> Option<NonNull<u8>>) -> *mut u8 {
    let first = with_heap(&mut attempt);
    let outcome = match first {
        None if frames::reclaim() > 0 => with_heap(attempt),
        outcome => outcome,
    };
    outcome.map_or(ptr::null_mut(), NonNull::as_ptr)
}

/// A block for `layout`, or null.
///
/// # Safety
/// The size is not 0.
pub unsafe fn allocate(layout: Layout) -> *mut u8 {
    with_patience(|heap| {
        let block = heap.allocate(layout)?;
        heap.used += layout.size();
        Some(block)
    })
}

/// Takes back a block from [`allocate`].
///
/// # Safety
/// The block came from [`allocate`] with this layout, and no code uses it.
pub unsafe fn deallocate(block: *mut u8, layout: Layout) {
    with_heap(|heap| {
        heap.used = heap.used.wrapping_sub(layout.size());
        // SAFETY: the caller's promise.
        unsafe { heap.deallocate(block, layout) };
    });
}

/// Makes a block from [`allocate`] larger or smaller where it is, if there is room.
///
/// # Safety
/// As for [`deallocate`]; `new_size` is not 0. If this says `true`, the layout's size is `new_size` from now on.
pub unsafe fn resize_in_place(block: *mut u8, layout: Layout, new_size: usize) -> bool {
    with_heap(|heap| {
        if (block as usize) < heap.abandoned_below {
            return false;
        }
        // SAFETY: the caller's promise.
        let done = unsafe { heap.talc.try_realloc_in_place(block, layout, new_size) };
        if done {
            heap.used = heap.used.wrapping_add(new_size).wrapping_sub(layout.size());
        }
        done
    })
}

/// A block of the class, and a batch of further ones for the stock of the CPU that this runs on.
pub fn allocate_batch(class: Class) -> *mut u8 {
    let layout = layout_of(class);
    with_patience(|heap| {
        let first = heap.allocate(layout)?;
        let irq_off = InterruptGuard::new();
        let cache = local(&irq_off);
        heap.used += layout.size();
        for _ in 1..class.batch() {
            // SAFETY: a class has a size. The blocks that are there without growing are enough.
            let Some(block) = (unsafe { heap.talc.try_allocate(layout) }) else { break };
            // SAFETY: the guard lives; the block is fresh.
            unsafe { cache.put(class, block.as_ptr()) };
            heap.used += layout.size();
        }
        Some(first)
    })
}

/// Gives a batch of the stock's blocks back.
///
/// # Safety
/// As for [`Cache::unstock`].
pub unsafe fn deallocate_batch(class: Class, cache: &Cache) {
    let layout = layout_of(class);
    with_heap(|heap| {
        // SAFETY: the caller's promise; blocks in stock came from `allocate_batch`.
        for block in unsafe { cache.unstock(class, class.batch()) } {
            heap.used = heap.used.wrapping_sub(layout.size());
            // SAFETY: as above.
            unsafe { heap.deallocate(block.as_ptr(), layout) };
        }
    });
}

fn address_of(pages: PageRange) -> usize {
    pages.start().as_ptr::<u8>().addr()
}

fn layout_of(class: Class) -> Layout {
    // SAFETY: classes are small.
    unsafe { Layout::from_size_align_unchecked(class.block_size(), size_classes::ALIGNMENT) }
}

impl Heap {
    fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: callers ask for at least one byte.
        match unsafe { self.talc.try_allocate(layout) } {
            Some(block) => Some(block),
            None => {
                self.grow(layout)?;
                // SAFETY: as above.
                unsafe { self.talc.try_allocate(layout) }
            }
        }
    }

    /// # Safety
    /// As for [`deallocate`].
    unsafe fn deallocate(&mut self, block: *mut u8, layout: Layout) {
        if (block as usize) < self.abandoned_below {
            self.lost += layout.size();
        } else {
            // SAFETY: the caller's promise; the block is the current allocator's.
            unsafe { self.talc.deallocate(block, layout) };
        }
    }

    /// Adds pages for at least `layout`.
    fn grow(&mut self, layout: Layout) -> Option<()> {
        let bytes = layout.size().checked_add(layout.align())?.checked_add(OVERHEAD)?;
        let needed = pages_for(bytes);
        let pages = self.map(needed.max(GROWTH_PAGES)).or_else(|| self.map(needed))?;
        self.arena += pages.bytes();
        let start = address_of(pages);
        let end = start + pages.bytes();
        match NonNull::new(self.top.end as *mut u8) {
            Some(top) if self.top.end == start && !self.top.is_empty() => {
                // SAFETY: the pages from the arena's end on are fresh and the heap's.
                let new = unsafe { self.talc.extend(top, end as *mut u8) };
                self.top.end = new.as_ptr() as usize;
            }
            _ => {
                // SAFETY: the pages are fresh and the heap's.
                let new = unsafe { self.talc.claim(start as *mut u8, pages.bytes()) }?;
                self.top = start..new.as_ptr() as usize;
            }
        }
        Some(())
    }

    /// Maps pages, if possible right behind the arena, and clears them: the leftovers of a stack or a cell in the frames
    /// would look like references in use. No keeper is asked for spare frames: the heap's lock is held.
    fn map(&self, count: usize) -> Option<PageRange> {
        let next = Page::containing(VirtAddr::new_truncate(self.top.end as u64));
        let behind = PageRange::new(next, count).and_then(|range| pages::allocate_at(range).ok());
        let pages = match behind {
            Some(pages) => pages,
            None => pages::allocate_in(Region::Heap, count).ok().filter(|pages| self.is_current(pages.range()))?,
        };
        let mapping: Result<MappedPages<Writable>, MapError> = mapping::try_allocate_at(pages, Writable, Purpose::Heap);
        let mut mapping = mapping.ok()?;
        mapping.bytes_mut().fill(0);
        Some(mapping.into_page_range())
    }

    /// Whether blocks there cannot be mistaken for abandoned ones.
    fn is_current(&self, pages: PageRange) -> bool {
        address_of(pages) >= self.abandoned_below
    }

    /// Sets a damaged allocator aside, with all its memory, and starts anew above it.
    fn abandon(&mut self) {
        self.talc = Talc::new(Manual);
        self.abandoned_below = self.top.end.max(self.abandoned_below);
        self.top = self.abandoned_below..self.abandoned_below;
    }

    /// Takes the unused whole pages at the end of the arena away from the allocator, if there are `fewest` or more.
    fn shorten(&mut self, fewest: usize) -> Option<PageRange> {
        let end = NonNull::new(self.top.end as *mut u8)?;
        if self.top.is_empty() {
            return None;
        }
        // SAFETY: the arena's end is the allocator's.
        let reserved = unsafe { self.talc.reserved(end) }.up_to.as_ptr() as usize;
        // The first page holds the allocator's lists, and a little stays so that the next allocation need not grow.
        let keep = (reserved.max(self.top.start) + 1).next_multiple_of(PAGE_SIZE) + GROWTH_PAGES / 4 * PAGE_SIZE;
        let first = Page::containing(VirtAddr::new_truncate(keep as u64));
        let count = self.top.end.checked_sub(keep)? / PAGE_SIZE;
        let spare = PageRange::new(first, count).filter(|_| count >= fewest)?;
        // SAFETY: `keep` is above all that is in use, so the arena is cut exactly there.
        let new = unsafe { self.talc.truncate(end, keep as *mut u8) }?;
        debug_assert_eq!(new.as_ptr() as usize, keep);
        self.top.end = keep;
        self.arena -= spare.bytes();
        Some(spare)
    }
}

/// CPUs that are to give the blocks in their stock back: one of these at the end of the arena keeps all of it.
static ASKED: PerCpu<AtomicBool> = PerCpu::new([const { AtomicBool::new(false) }; MAX_CPUS]);

/// Gives unused pages at the end of the heap back, and says how many. May wait for the other CPUs. Those give back the
/// blocks in their stock when they next call [`relieve`].
pub fn trim() -> usize {
    ASKED.iter().for_each(|(_, asked)| asked.store(true, Ordering::Relaxed));
    relieve();
    trim_from(1)
}

/// Gives back the blocks in this CPU's stock, if the CPU was asked to. Every CPU calls it from time to time; interrupt
/// handlers may.
pub fn relieve() {
    let irq_off = InterruptGuard::new();
    let asked = &ASKED[cpu_id()];
    if !asked.load(Ordering::Relaxed) {
        return;
    }
    asked.store(false, Ordering::Relaxed);
    let cache = local(&irq_off);
    for class in Class::all() {
        while cache.has(class) {
            // SAFETY: the guard lives.
            unsafe { deallocate_batch(class, cache) };
        }
    }
}

/// Gives much unused memory back, as it lies around after a task with much memory has ended. Costs next to nothing if
/// there is not much.
pub fn trim_much() -> usize {
    if SPARE.load(Ordering::Relaxed) < MUCH { 0 } else { trim_from(MUCH / PAGE_SIZE) }
}

fn trim_from(fewest: usize) -> usize {
    match with_heap(|heap| heap.shorten(fewest)) {
        Some(spare) => {
            // SAFETY: the heap put these pages down when it mapped them, and has just cut them off.
            drop(unsafe { MappedPages::<Writable>::from_page_range(spare, Purpose::Heap) });
            spare.count()
        }
        None => 0,
    }
}

/// The general allocator's part of the counts.
pub(crate) fn statistics() -> Statistics {
    let heap = HEAP.lock();
    Statistics { arena: heap.arena, used: heap.used, cached: 0, lost: heap.lost, refused: 0 }
}
