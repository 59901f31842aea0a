// expect: borrowed data escapes outside of closure
// A look at all tasks ends with the lock of the table: what it was shown may be gone afterwards.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task_core::{Task, TaskId};

pub fn last() -> Option<TaskId> {
    let mut record: Option<&'static Task> = None;
    let mut number = None;
    task_core::visit(&mut |task| record = Some(task)); //~ wrong
    task_core::visit(&mut |task| number = Some(task.id())); //~ right
    record.map(Task::id).or(number)
}
