// expect: cannot borrow `*mapping` as mutable more than once
// Two views that write do not exist at the same time.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, ViewError, Writable};


pub fn swap(mapping: &mut MappedPages<Writable>) -> Result<(), ViewError> {
    let one = mapping.as_type_mut::<u32>(0)?;
    *one = 1; //~ right
    let other = mapping.as_type_mut::<u32>(4)?; //~ wrong
    let other = mapping.as_type_mut::<u32>(4)?; //~ right
    *one = 1; //~ wrong
    *other = 2;
    Ok(())
}
