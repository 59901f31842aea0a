// expect: borrowed data escapes
// A CPU's value is lent for the time that the task stays on that CPU.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use core::cell::Cell;
use cpu_local::PerCpu;

pub fn take(own: &PerCpu<Cell<u32>>) -> u32 {
    let mut kept = None;
    let value = own.with(|value| { kept = Some(value); value.get() }); //~ wrong
    let value = own.with(|value| { kept = Some(value.get()); value.get() }); //~ right
    drop(kept);
    value
}
