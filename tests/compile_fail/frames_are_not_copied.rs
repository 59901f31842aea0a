// expect: no method named `clone`
// Frames cannot be copied: two owners would free them twice.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use frames::AllocatedFrames;


pub fn double(frames: AllocatedFrames) -> (usize, usize) {
    let one = frames.count();
    let other = frames.clone().count(); //~ wrong
    let other = frames.count(); //~ right
    (one, other)
}
