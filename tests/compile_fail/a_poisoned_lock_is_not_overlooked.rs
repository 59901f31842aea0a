// expect: mismatched types
// Data that a dead task left half changed is reached only by code that asks for it in so many words.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mutex::{Mutex, MutexGuard};

pub fn locked(value: &Mutex<u32>) -> Option<MutexGuard<'_, u32>> {
    let guard: MutexGuard<'_, u32> = value.lock(); //~ wrong
    let guard: MutexGuard<'_, u32> = value.lock().ok()?; //~ right
    Some(guard)
}
