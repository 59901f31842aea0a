// expect: call to unsafe function
// A catch releases the locks that lost frames held: the guard that is left outside would stand for a free lock.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mutex::{Mutex, MutexGuard};

pub fn fault_with<'a>(lock: &'a Mutex<u64>, fault: fn()) -> Option<MutexGuard<'a, u64>> {
    let mut kept = None;
    let mut body = || {
        kept = lock.lock().ok();
        fault();
    };
    unwinder::catch(body).ok(); //~ wrong
    body(); //~ right
    kept
}
