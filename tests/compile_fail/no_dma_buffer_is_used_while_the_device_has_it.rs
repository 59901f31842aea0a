// expect: borrow of moved value: `buffer`
// A buffer that was handed to a device is the device's: its old owner cannot touch it before it comes back.

#![no_std]
#![forbid(unsafe_code)]

use dma::{Buffer, Lent};

pub fn start(mut buffer: Buffer, mut other: Buffer) -> (Lent, Buffer) {
    let lent = buffer.lend();
    buffer.bytes_mut().fill(0); //~ wrong
    other.bytes_mut().fill(0); //~ right
    (lent, other)
}
