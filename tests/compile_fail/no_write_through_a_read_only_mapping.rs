// expect: no method named `bytes_mut`
// A read-only mapping has no method that writes.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, ReadOnly, Writable};

pub fn clear(constants: &mut MappedPages<ReadOnly>, data: &mut MappedPages<Writable>) -> usize {
    constants.bytes_mut().fill(0); //~ wrong
    data.bytes_mut().fill(0); //~ right
    constants.len() + data.len()
}
