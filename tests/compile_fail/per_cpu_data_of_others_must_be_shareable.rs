// expect: cannot be shared between threads safely
// Another CPU's value can be read only if it may be shared.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use core::cell::Cell;
use core::sync::atomic::AtomicU32;
use cpu_local::{CpuId, PerCpu};

pub fn other(own: &PerCpu<Cell<u32>>, shared: &PerCpu<AtomicU32>, cpu: CpuId) {
    let _ = own.get_remote(cpu); //~ wrong
    let _ = shared.get_remote(cpu); //~ right
    let _ = (own, shared);
}
