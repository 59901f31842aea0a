//! Each CPU's stock of small blocks: one list per size class, linked through the blocks themselves.

use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use cpu_local::{InterruptGuard, MAX_CPUS, PerCpu, cpu_id};
use intrusive_collections::{SinglyLinkedList, SinglyLinkedListLink, UnsafeRef, intrusive_adapter};
use size_classes::{Class, PLACES};

/// An unused block. Its first word leads to the next one: keeping a block takes no memory but its own.
struct Block {
    link: SinglyLinkedListLink,
}

intrusive_adapter!(ByFirstWord = UnsafeRef<Block>: Block { link => SinglyLinkedListLink });

struct List {
    blocks: UnsafeCell<SinglyLinkedList<ByFirstWord>>,
    count: AtomicUsize,
}

impl List {
    const fn new() -> Self {
        Self { blocks: UnsafeCell::new(SinglyLinkedList::new(ByFirstWord::NEW)), count: AtomicUsize::new(0) }
    }

    /// Takes a block, if there is one.
    ///
    /// # Safety
    /// The list is this CPU's, and interrupts are off.
    #[inline]
    unsafe fn take(&self) -> Option<NonNull<u8>> {
        // SAFETY: no other code touches the list now.
        let block = unsafe { &mut *self.blocks.get() }.pop_front()?;
        add(&self.count, 1usize.wrapping_neg());
        NonNull::new(UnsafeRef::into_raw(block).cast())
    }
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
pub fn local(_irq_off: &InterruptGuard) -> &Cache {
    &CACHES[cpu_id()]
}

pub(crate) fn all() -> impl Iterator<Item = &'static Cache> {
    CACHES.iter().map(|(_, cache)| cache)
}

impl Cache {
    const fn new() -> Self {
        Self { lists: [const { List::new() }; PLACES] }
    }

    /// Takes a block, if there is one.
    ///
    /// # Safety
    /// `self` came from [`local`], and the guard given there still lives.
    #[inline]
    pub unsafe fn take(&self, class: Class) -> Option<NonNull<u8>> {
        // SAFETY: the list is this CPU's, and the guard keeps interrupts off.
        unsafe { self.lists[class.index()].take() }
    }

    /// Adds a block. Returns how many of its class are now in stock.
    ///
    /// # Safety
    /// As for [`Self::take`]; and the block is of this class and no code uses it.
    #[inline]
    pub unsafe fn put(&self, class: Class, block: *mut u8) -> usize {
        let list = &self.lists[class.index()];
        let block = block.cast::<Block>();
        // SAFETY: the caller gives the block away, which is aligned for a link and has room for one, and stays where it
        // is until it is taken; no other code touches the list now.
        unsafe {
            block.write(Block { link: SinglyLinkedListLink::new() });
            (*list.blocks.get()).push_front(UnsafeRef::from_raw(block));
        }
        add(&list.count, 1)
    }

    /// Takes up to `count` blocks out of stock.
    ///
    /// # Safety
    /// As for [`Self::take`].
    pub unsafe fn unstock(&self, class: Class, count: usize) -> impl Iterator<Item = NonNull<u8>> {
        let list = &self.lists[class.index()];
        // SAFETY: as in `take`.
        (0..count).map_while(move |_| unsafe { list.take() })
    }

    /// Whether there is a block of this class in stock.
    pub(crate) fn has(&self, class: Class) -> bool {
        self.lists[class.index()].count.load(Ordering::Relaxed) != 0
    }

    /// Bytes in stock.
    pub(crate) fn bytes(&self) -> usize {
        Class::all().map(|class| self.lists[class.index()].count.load(Ordering::Relaxed) * class.block_size()).sum()
    }
}

/// Adds, wrapping. Only one CPU writes, so no locked instruction is needed.
#[inline]
fn add(counter: &AtomicUsize, amount: usize) -> usize {
    let value = counter.load(Ordering::Relaxed).wrapping_add(amount);
    counter.store(value, Ordering::Relaxed);
    value
}
