//! Work that never ends. A caller learns from a flag that the work goes on.

use alloc::{boxed::Box, vec::Vec};
use core::hint::{black_box, spin_loop};
use core::sync::atomic::{AtomicBool, Ordering};

/// Computes until the task is ended, with something owned by the frames above only.
#[inline(never)]
pub fn compute(going: &AtomicBool) {
    loop {
        going.store(true, Ordering::Relaxed);
        spin_loop();
    }
}

/// Bytes that [`compute_with`] owns.
pub const OWNED: usize = 1000;

/// As [`compute`], with something owned by the frame that computes.
#[inline(never)]
pub fn compute_with(owned: Box<[u8; OWNED]>, going: &AtomicBool) -> u8 {
    while black_box(true) {
        going.store(true, Ordering::Relaxed);
        black_box(&owned);
    }
    owned[0]
}

/// Lets vectors that are the caller's grow and shrink until the task is ended.
#[inline(never)]
pub fn resize(vectors: &mut [Vec<Box<u64>>], going: &AtomicBool) {
    const MOST: usize = 40;
    for round in 0_u64.. {
        for vector in &mut *vectors {
            if vector.len() == MOST {
                vector.truncate(1);
                vector.shrink_to_fit();
            }
            vector.push(Box::new(round));
        }
        going.store(true, Ordering::Relaxed);
    }
}
