// expect: use of moved value: `frames`
// A frame has one owner: giving it away leaves nothing behind.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use frames::{AllocatedFrames, FramesError, Purpose};


fn consume(_frames: AllocatedFrames) {}

pub fn give() -> Result<(), FramesError> {
    let frames = frames::allocate(1, Purpose::Other)?;
    let count = frames.count();
    consume(frames);
    consume(frames); //~ wrong
    let _ = count;
    Ok(())
}
