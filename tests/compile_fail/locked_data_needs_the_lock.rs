// expect: is private
// The data behind a lock is reached through the lock only.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use spin_lock::SpinLock;


pub fn read(lock: &SpinLock<u32>) -> u32 {
    *lock.lock() //~ right
    lock.data //~ wrong
}
