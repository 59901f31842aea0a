// expect: call to unsafe function
// Safe code cannot say that a device has ended: a buffer that is never taken back stays with the device.

#![no_std]
#![forbid(unsafe_code)]

use dma::Lent;

pub fn end(lent: Lent) -> usize {
    let length = lent.length();
    let buffer = lent.take_back(); //~ wrong
    drop(lent); //~ right
    length
}
