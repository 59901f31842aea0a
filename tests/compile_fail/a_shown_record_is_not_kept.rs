// expect: borrowed data escapes outside of closure
// The record of the running task is shown inside a closure: a reference that left it could outlive the task.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task_core::{Current, Task};

pub fn ticks(current: Current) -> u64 {
    let mut kept: Option<&'static Task> = None;
    current.with_record(|task| kept = Some(task)); //~ wrong
    let ticks = current.with_record(|task| task.ticks()); //~ right
    let ticks = 0; //~ wrong
    kept.take().map_or(ticks, Task::ticks)
}
