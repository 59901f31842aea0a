// expect: dereference of raw pointer is unsafe
// An address is made of a number and read.

#![no_std]
#![forbid(unsafe_code)]

pub fn run(address: usize) -> usize {
    let pointer = core::ptr::without_provenance::<usize>(address);
    *pointer //~ wrong
    pointer.addr() //~ right
}
