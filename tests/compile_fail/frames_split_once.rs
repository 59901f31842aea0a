// expect: borrow of moved value: `frames`
// Splitting takes the whole by value: it does not stay beside its parts.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use frames::AllocatedFrames;

pub fn halves(frames: AllocatedFrames) -> usize {
    let total = frames.count(); //~ right
    let parts = frames.split(1);
    let total = frames.count(); //~ wrong
    drop(parts);
    total
}
