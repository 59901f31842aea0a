// expect: call to unsafe function
// Changing a task's state from outside is for the cells that vouch for the rules.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task_core::TaskRef;

pub fn record(task: &TaskRef) -> u64 {
    let _record = task.task(task_core::Machinery::new()); //~ wrong
    task.id().number()
}
