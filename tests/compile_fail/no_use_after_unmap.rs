// expect: moved value: `mapping`
// An unmapped mapping is gone: nothing can be read through it.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, ViewError, Writable};


pub fn read(mapping: MappedPages<Writable>) -> Result<u32, ViewError> {
    drop(mapping); //~ wrong
    let value = *mapping.as_type::<u32>(0)?; //~ wrong
    let value = *mapping.as_type::<u32>(0)?; //~ right
    Ok(value)
}
