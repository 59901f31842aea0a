// expect: call to unsafe function
// A walker reads the stack at the addresses that it is given: its maker vouches for them.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use unwinder::{Registers, StackBounds, Walker};

pub fn frames(bounds: StackBounds) -> usize {
    let mut count = bounds.low as usize;
    count += Walker::from_call(Registers::ZERO, bounds).count(); //~ wrong
    unwinder::capture_here(&mut |walker: Walker<'_>| count += walker.count()); //~ right
    count
}
