// expect: mismatched types
// What a dead task left behind is looked at only by those who say so.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mutex::{Mutex, MutexGuard};

pub fn locked(value: &Mutex<u32>) -> Option<MutexGuard<'_, u32>> {
    let guard: MutexGuard<'_, u32> = value.lock(); //~ wrong
    let guard: MutexGuard<'_, u32> = value.lock().ok()?; //~ right
    Some(guard)
}
