// expect: cannot return value referencing function parameter `mapping`
// A view cannot leave the function that unmaps.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, Writable};


pub fn view(mapping: MappedPages<Writable>) -> &'static [u8] { //~ wrong
pub fn view(mapping: &MappedPages<Writable>) -> &[u8] { //~ right
    mapping.bytes() //~ wrong
    mapping.bytes() //~ right
}
