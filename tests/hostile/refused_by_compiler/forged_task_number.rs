// expect: cannot initialize a tuple struct which contains private fields
// A number that is not that of a task would be looked up in a table.

#![no_std]
#![forbid(unsafe_code)]

use task::{TaskId, TaskRef};

pub fn run(number: core::num::NonZeroU64) -> Option<TaskRef> {
    let id = TaskId(number); //~ wrong
    let id = TaskId::new(number.get())?; //~ right
    task::find(id)
}
