// expect: moved value: `frames`
// Mapping takes the frames: they cannot be mapped a second time.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use frames::AllocatedFrames;
use mapping::{MapError, MapPages, Writable};
use pages::AllocatedPages;

pub fn twice(one: AllocatedPages, other: AllocatedPages, frames: AllocatedFrames) -> Result<(), MapError> {
    let first = one.map(frames, Writable)?;
    let second = other.map(frames, Writable)?; //~ wrong
    drop(other); //~ right
    drop(first);
    Ok(())
}
