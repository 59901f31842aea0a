// expect: zerocopy::TryFromBytes` is not satisfied
// Only a type that says how to tell valid bytes from invalid ones can be laid over memory; `as_type` then checks them.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, ViewError, Writable};

#[derive(zerocopy::TryFromBytes, zerocopy::KnownLayout, zerocopy::Immutable)] //~ right
#[repr(C)]
pub struct Header {
    kind: u32,
    ready: bool,
}

pub fn ready(mapping: &MappedPages<Writable>) -> Result<bool, ViewError> {
    let header = mapping.as_type::<Header>(0)?; //~ wrong
    let header = mapping.as_type::<Header>(0)?; //~ right
    Ok(header.kind == 1 && header.ready)
}
