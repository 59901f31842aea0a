// expect: mismatched types
// A cell that may wake tasks may not end them, nor change what they inherit: each right has a type of its own.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task_core::{Priority, TaskRef, Wake, WakeCap};

pub fn wake(right: WakeCap, task: &TaskRef) -> bool {
    task_core::donate(right, task.record(), Priority::HIGHEST) //~ wrong
    task.record().wake(right, Wake::Notified) //~ right
}
