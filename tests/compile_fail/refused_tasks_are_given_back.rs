// expect: unused `Result` that must be used
// A policy that refuses the tasks of another gives them back, and they must not be lost.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

extern crate alloc;

use alloc::vec::Vec;
use policy_interface::PolicyEntry;

pub fn state_transfer(tasks: Vec<PolicyEntry>) -> Vec<PolicyEntry> {
    scheduling_policy::import_state(tasks); return Vec::new(); //~ wrong
    match scheduling_policy::import_state(tasks) { Ok(()) => Vec::new(), Err((_, tasks)) => tasks } //~ right
}
