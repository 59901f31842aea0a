// expect: call to unsafe function
// A policy touches a run queue only with the proof that its caller holds the lock.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use policy_interface::QueueAccess;

pub fn next(access: &mut QueueAccess) -> bool {
    let access = &mut QueueAccess::new(0); //~ wrong
    scheduling_policy::take_next(access).is_some()
}
