// expect: expected `CpuId`, found `usize`
// What belongs to a CPU is found by the CPU: a count, a place in a list or another number does not do.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use core::sync::atomic::{AtomicU32, Ordering};
use cpu_local::{CpuId, PerCpu};

pub fn count(counts: &PerCpu<AtomicU32>, cpu: CpuId) -> u32 {
    let number: usize = cpu.index();
    let count = &counts[number]; //~ wrong
    let count = &counts[cpu]; //~ right
    count.load(Ordering::Relaxed) + (number as u32)
}
