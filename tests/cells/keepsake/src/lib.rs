//! A cell for checks of swaps that hands its state over as it should, but in types that the engine does not know.
#![no_std]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

static KEPT: AtomicU64 = AtomicU64::new(0);

/// The value that was last put here.
pub fn kept() -> u64 {
    KEPT.load(Ordering::Acquire)
}

/// Puts something here.
pub fn keep(thing: u64) {
    KEPT.store(thing, Ordering::Release);
}

/// Gives it up.
pub fn export_state() -> u64 {
    KEPT.swap(0, Ordering::AcqRel)
}

/// Takes the value that another version gave up, or gives it back.
pub fn import_state(thing: u64) -> Result<(), u64> {
    KEPT.compare_exchange(0, thing, Ordering::AcqRel, Ordering::Relaxed).map(drop).map_err(|_| thing)
}
