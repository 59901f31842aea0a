// expect: mismatched types
// A record that was lent could be kept, and looked at by others when the task is gone.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task_core::{Current, Task};

pub fn number(current: &'static Current) -> u64 {
    let record: &'static Task = current; //~ wrong
    let record = current; //~ right
    record.id().number()
}
