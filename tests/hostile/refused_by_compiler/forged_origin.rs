// expect: call to unsafe function
// A task with the origin of another application would keep that one's code, and lose its own.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::sync::Arc;
use task::Origin;

pub fn run() -> Option<Origin> {
    let right = task_core::OriginCap::new(); //~ wrong
    Some(Origin::new(right, Arc::new(()))) //~ wrong
    let keeper = Arc::new(()); //~ right
    task::current().and_then(task::Current::origin).filter(|_| Arc::strong_count(&keeper) == 1) //~ right
}
