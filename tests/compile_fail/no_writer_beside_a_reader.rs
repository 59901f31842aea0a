// expect: cannot borrow `*mapping` as mutable because it is also borrowed as immutable
// Nothing changes under a view that reads.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, ViewError, Writable};


pub fn copy(mapping: &mut MappedPages<Writable>) -> Result<(), ViewError> {
    let one = mapping.as_type::<u32>(0)?; //~ wrong
    let one = *mapping.as_type::<u32>(0)?; //~ right
    let other = mapping.as_type_mut::<u32>(4)?; //~ wrong
    let other = mapping.as_type_mut::<u32>(4)?; //~ right
    *other = *one; //~ wrong
    *other = one; //~ right
    Ok(())
}
