// expect: no method named `bytes_mut`
// Code cannot be written where it can be executed.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{Executable, MappedPages};

pub fn patch(code: &mut MappedPages<Executable>) -> u8 {
    code.bytes_mut()[0] = 0x90; //~ wrong
    code.bytes()[0]
}
