// expect: zerocopy::TryFromBytes` is not satisfied
// A reference made of bytes could point anywhere.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, ViewError, Writable};


pub fn text(mapping: &MappedPages<Writable>) -> Result<usize, ViewError> {
    let length = mapping.as_type::<&'static str>(0)?.len(); //~ wrong
    let length = mapping.as_slice::<u8>(0, 16)?.len(); //~ right
    Ok(length)
}
