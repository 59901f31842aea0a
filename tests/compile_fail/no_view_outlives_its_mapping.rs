// expect: cannot move out of `mapping` because it is borrowed
// A view lends from its mapping, so the mapping cannot be unmapped under it.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, ViewError, Writable};


pub fn read(mapping: MappedPages<Writable>) -> Result<u32, ViewError> {
    let view = mapping.as_type::<u32>(0)?;
    let value = *view; //~ right
    drop(mapping); //~ wrong
    let value = *view; //~ wrong
    Ok(value)
}
