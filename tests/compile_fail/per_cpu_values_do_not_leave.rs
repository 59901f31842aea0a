// expect: does not live long enough
// A CPU's value is lent for the time that the task stays on that CPU.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use core::sync::atomic::{AtomicU32, Ordering};
use cpu_local::{PerCpu, PreemptGuard};

pub fn take(own: &PerCpu<AtomicU32>) -> u32 {
    let other = AtomicU32::new(0);
    let value = {
        let stay = PreemptGuard::new();
        own.here(&stay) //~ wrong
        own.here(&stay).fetch_add(1, Ordering::Relaxed); &other //~ right
    };
    value.load(Ordering::Relaxed)
}
