// expect: no method named `as_type_mut`
// Neither does it have typed ones.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, ReadOnly, ViewError};

pub fn read(constants: &mut MappedPages<ReadOnly>) -> Result<u64, ViewError> {
    Ok(*constants.as_type::<u64>(8)?) //~ right
    Ok(*constants.as_type_mut::<u64>(8)?) //~ wrong
}
