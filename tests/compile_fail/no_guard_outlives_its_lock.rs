// expect: cannot return value referencing local variable `inner`
// A guard borrows its lock.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use spin_lock::{SpinLock, SpinLockGuard};

pub fn lock<'a>(outer: &'a SpinLock<u32>) -> SpinLockGuard<'a, u32> {
    let inner = SpinLock::new(1);
    inner.lock() //~ wrong
    drop(inner); //~ right
    outer.lock() //~ right
}
