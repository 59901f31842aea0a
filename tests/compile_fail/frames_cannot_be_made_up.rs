// expect: is private
// Only the allocator makes frames: their fields are private to it.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use addresses::FrameRange;
use frames::AllocatedFrames;

pub fn range(frames: &AllocatedFrames) -> FrameRange {
    frames.range //~ wrong
    frames.range() //~ right
}
