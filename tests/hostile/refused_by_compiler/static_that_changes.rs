// expect: use of mutable static is unsafe
// A static is written to without a lock.

#![no_std]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

static mut COUNT: u64 = 0; //~ wrong
static COUNT: AtomicU64 = AtomicU64::new(0); //~ right

pub fn run() {
    COUNT += 1; //~ wrong
    COUNT.fetch_add(1, Ordering::Relaxed); //~ right
}
