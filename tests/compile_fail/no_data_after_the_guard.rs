// expect: borrowed
// What the guard lends cannot be kept after it is gone.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use spin_lock::SpinLock;


pub fn read(lock: &SpinLock<[u32; 2]>) -> u32 {
    let guard = lock.lock();
    let first = &guard[0];
    let value = *first; //~ right
    drop(guard); //~ wrong
    let value = *first; //~ wrong
    value
}
