// expect: cannot be shared between threads safely
// A value for each CPU is still used by several tasks of that CPU, and by those that move between CPUs.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use core::cell::Cell;
use cpu_local::{MAX_CPUS, PerCpu};
use spin_lock::SpinLock;

static COUNTS: PerCpu<Cell<u32>> = PerCpu::new([const { Cell::new(0) }; MAX_CPUS]); //~ wrong
static COUNTS: PerCpu<SpinLock<Cell<u32>>> = PerCpu::new([const { SpinLock::new(Cell::new(0)) }; MAX_CPUS]); //~ right

pub fn address() -> *const () {
    (&raw const COUNTS).cast()
}
