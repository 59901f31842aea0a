//! Each CPU's stock of small blocks: one list per size class, linked through the blocks themselves.

use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use cpu_local::{InterruptGuard, MAX_CPUS, PerCpu, cpu_id};
use size_classes::{Class, PLACES};

/// A block that nobody uses. Its first word leads to the next one.
struct Block {
    next: *mut Block,
}

struct List {
    head: UnsafeCell<*mut Block>,
    count: AtomicUsize,
}

/// One CPU's stock. Only that CPU changes it, with interrupts off; others may read the counts.
#[repr(align(64))]
pub struct Cache {
    lists: [List; PLACES],
}

// SAFETY: the lists are reached only through `local`, by their own CPU with interrupts off; the rest is atomic.
unsafe impl Sync for Cache {}

static CACHES: PerCpu<Cache> = PerCpu::new([const { Cache::new() }; MAX_CPUS]);

/// The stock of the CPU that this runs on. The guard keeps it that way and keeps interrupt handlers out.
#[inline]
pub fn local(_quiet: &InterruptGuard) -> &Cache {
    &CACHES[cpu_id()]
}

pub(crate) fn all() -> impl Iterator<Item = &'static Cache> {
    CACHES.iter().map(|(_, cache)| cache)
}

impl Cache {
    const fn new() -> Self {
        Self { lists: [const { List { head: UnsafeCell::new(ptr::null_mut()), count: AtomicUsize::new(0) } }; PLACES] }
    }

    /// Takes a block, if there is one.
    ///
    /// # Safety
    /// `self` came from [`local`], and the guard given there still lives.
    #[inline]
    pub unsafe fn take(&self, class: Class) -> Option<NonNull<u8>> {
        let list = &self.lists[class.index()];
        // SAFETY: nobody else touches the list now.
        let block = NonNull::new(unsafe { *list.head.get() })?;
        // SAFETY: as above; a block in the list is the list's, and its first word was written by `put`.
        unsafe { *list.head.get() = (*block.as_ptr()).next };
        add(&list.count, 1usize.wrapping_neg());
        Some(block.cast())
    }

    /// Adds a block. Returns how many of its class are now in stock.
    ///
    /// # Safety
    /// As for [`Self::take`]; and the block is of this class and nobody uses it.
    #[inline]
    pub unsafe fn put(&self, class: Class, block: *mut u8) -> usize {
        let list = &self.lists[class.index()];
        let block = block.cast::<Block>();
        // SAFETY: the caller gives the block away; blocks are aligned for, and at least as large as, a pointer.
        unsafe {
            (*block).next = *list.head.get();
            *list.head.get() = block;
        }
        add(&list.count, 1)
    }

    /// Takes up to `count` blocks out of stock.
    ///
    /// # Safety
    /// As for [`Self::take`].
    pub unsafe fn unstock(&self, class: Class, count: usize) -> impl Iterator<Item = NonNull<u8>> {
        let list = &self.lists[class.index()];
        (0..count).map_while(move |_| {
            // SAFETY: as in `take`.
            let block = NonNull::new(unsafe { *list.head.get() })?;
            // SAFETY: as in `take`.
            unsafe { *list.head.get() = (*block.as_ptr()).next };
            add(&list.count, 1usize.wrapping_neg());
            Some(block.cast())
        })
    }

    /// Bytes in stock.
    pub(crate) fn bytes(&self) -> usize {
        Class::all().map(|class| self.lists[class.index()].count.load(Ordering::Relaxed) * class.size()).sum()
    }
}

/// Adds, wrapping. Only one CPU writes, so no locked instruction is needed.
#[inline]
fn add(counter: &AtomicUsize, amount: usize) -> usize {
    let value = counter.load(Ordering::Relaxed).wrapping_add(amount);
    counter.store(value, Ordering::Relaxed);
    value
}
