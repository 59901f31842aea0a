// expect: call to unsafe function
// Claiming a range of memory that may have an owner is an unsafe promise.

#![no_std]

use addresses::FrameRange;
use frames::{AllocatedFrames, Purpose};

pub fn claim(range: FrameRange) -> Option<AllocatedFrames> {
    Some(unsafe { AllocatedFrames::from_range(range, Purpose::Other) }) //~ right
    Some(AllocatedFrames::from_range(range, Purpose::Other)) //~ wrong
}
