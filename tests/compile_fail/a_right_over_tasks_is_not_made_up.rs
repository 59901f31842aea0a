// expect: call to unsafe function
// A right over tasks is made by a cell that vouches for its rules.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task_core::{TaskRef, Wake, WakeCap};

pub fn wake(task: &TaskRef) -> u64 {
    let _woken = task.record().wake(WakeCap::new(), Wake::Killed); //~ wrong
    let _kicked = wait_queue::kick(task); //~ right
    task.id().number()
}
