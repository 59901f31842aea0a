// expect: usage of an `unsafe extern` block
// A declaration calls a function of the kernel by its name and gives it another type.

#![no_std]
#![forbid(unsafe_code)]

unsafe extern "C" { //~ wrong
    safe fn memset(start: usize, byte: i32, count: usize) -> usize; //~ wrong
} //~ wrong
fn memset(_start: usize, _byte: i32, _count: usize) -> usize { 0 } //~ right

pub fn run() -> usize {
    memset(0xffff_ffff_8000_0000, 0, 4096)
}
