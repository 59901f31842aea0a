// expect: unused `Result` that must be used
// A policy that refuses the tasks of another gives them back, and they must not be lost.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

extern crate alloc;

use alloc::vec::Vec;
use policy_interface::{AllQueues, PolicyEntry};

pub fn state_transfer(queues: &mut AllQueues, tasks: Vec<PolicyEntry>) -> Vec<PolicyEntry> {
    scheduling_policy::import_state(queues, tasks); return Vec::new(); //~ wrong
    match scheduling_policy::import_state(queues, tasks) { Ok(()) => Vec::new(), Err((_, tasks)) => tasks } //~ right
}
