//! The heap's state: the general allocator with the pages it stands on, and each CPU's stock of small blocks.
//!
//! The front (`heap`) decides the way of each request and can be replaced while blocks are in use, because everything
//! that must survive is here. Guarantees: a block belongs to one caller until it is given back; when memory runs out the
//! answer is null, after all keepers have been asked for spare frames, and never a panic; no lock is held while they are
//! asked.
//!
//! How it can fail: a fault inside the general allocator leaves it damaged. It is then set aside with all its blocks
//! (they stay usable, giving them back does nothing) and a new one takes its place.
#![no_std]

mod cache;
mod general;

use core::sync::atomic::{AtomicUsize, Ordering};

pub use cache::{Cache, local};
pub use general::{allocate, allocate_batch, deallocate, deallocate_batch, relieve, resize_in_place, trim, trim_much};

/// Blocks that were given back though they were free.
static REFUSED: AtomicUsize = AtomicUsize::new(0);

/// Notes that a block was given back though it was free, and that nothing came of it.
pub fn note_refused() {
    REFUSED.fetch_add(1, Ordering::Relaxed);
}

/// Bytes of the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Mapped for the heap.
    pub arena: usize,
    /// In use by programs.
    pub used: usize,
    /// Lying ready in the CPUs' stocks.
    pub cached: usize,
    /// In blocks that a damaged allocator has left behind, given back since.
    pub lost: usize,
    /// Blocks that were given back though they were free, and left alone.
    pub refused: usize,
}

/// Counts. While other CPUs allocate, the numbers are of slightly different moments.
pub fn statistics() -> Statistics {
    let mut sum = general::statistics();
    sum.refused = REFUSED.load(Ordering::Relaxed);
    sum.cached = cache::all().map(Cache::bytes).sum();
    // To the general allocator, the blocks in stock are in use.
    sum.used = sum.used.saturating_sub(sum.cached);
    sum
}
