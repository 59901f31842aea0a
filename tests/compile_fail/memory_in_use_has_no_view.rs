// expect: its trait bounds were not satisfied
// The statics of a running cell belong to its code: the owner of the mapping gets no reference to their bytes.

#![no_std]
#![forbid(unsafe_code)]

use mapping::{MappedPages, Writable};

pub fn first(mapping: MappedPages<Writable>) -> Option<u8> {
    let mapping = mapping.into_in_use(); //~ wrong
    mapping.bytes().first().copied() //~ wrong
    mapping.bytes().first().copied() //~ right
}
