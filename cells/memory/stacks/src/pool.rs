//! Stacks that are ready for the next task.

use core::ops::Range;

use spin_lock::SpinLock;

use crate::{DEFAULT_SIZE, PAGE_SIZE, Parts};

/// Enough for a pipeline of applications to start without mapping anything; 100 KiB each.
const PLACES: usize = 32;

static POOL: SpinLock<Pool> = SpinLock::new(Pool { places: [const { None }; PLACES], count: 0 });

/// The first `count` places are full.
struct Pool {
    places: [Option<Parts>; PLACES],
    count: usize,
}

impl Pool {
    /// Keeps the stack if there is room; otherwise it stays in `parts`.
    fn push(&mut self, parts: &mut Option<Parts>) {
        if let Some(place) = self.places.get_mut(self.count) {
            *place = parts.take();
            self.count += 1;
        }
    }

    fn pop(&mut self) -> Option<Parts> {
        self.count = self.count.checked_sub(1)?;
        self.places[self.count].take()
    }
}

/// Where the pool keeps its records of stacks. These records refer to nothing but the stacks' pages. Where a record has
/// padding, the former bytes of the place may shine through, for as long as the stack is in the pool.
pub fn pool_record() -> Range<u64> {
    let start = (&raw const POOL).addr() as u64;
    start..start + size_of_val(&POOL) as u64
}

/// How many stacks are ready.
pub fn pooled() -> usize {
    POOL.lock().count
}

/// A ready stack of this size. Only the default size is kept.
pub(crate) fn take(pages: usize) -> Option<Parts> {
    (pages == DEFAULT_SIZE / PAGE_SIZE).then(|| POOL.lock().pop()).flatten()
}

/// Keeps the stack, or unmaps it if there is no room.
pub(crate) fn put(parts: Parts) {
    if parts.stack_pages() == DEFAULT_SIZE / PAGE_SIZE {
        let mut parts = parts.refresh();
        if parts.is_some() {
            POOL.lock().push(&mut parts);
        }
        // Dropped outside the lock, if it did not fit: unmapping waits for other CPUs.
        drop(parts);
    }
}

/// Gives all kept stacks up; returns how many frames came free, at least.
pub fn drain_pool() -> usize {
    let mut freed = 0;
    loop {
        let popped = POOL.lock().pop();
        match popped {
            Some(parts) => freed += parts.stack_pages(),
            None => return freed,
        }
    }
}
