// expect: call to unsafe function
// Safe code uses the registers that it was given. It makes none, which could be those of another driver.

#![no_std]
#![forbid(unsafe_code)]

use port_registers::ReadOnly;

pub fn status(given: ReadOnly<u8>) -> ReadOnly<u8> {
    let given: ReadOnly<u8> = ReadOnly::new(0x3fd); //~ wrong
    given
}
