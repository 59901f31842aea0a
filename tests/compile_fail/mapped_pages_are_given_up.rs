// expect: moved value: `pages`
// Mapping takes the pages: nothing else can be mapped there.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use frames::AllocatedFrames;
use mapping::{MapError, MapPages, Writable};
use pages::AllocatedPages;

pub fn twice(pages: AllocatedPages, one: AllocatedFrames, other: AllocatedFrames) -> Result<(), MapError> {
    let first = pages.map(one, Writable)?;
    let second = pages.map(other, Writable)?; //~ wrong
    drop(other); //~ right
    drop(first);
    Ok(())
}
