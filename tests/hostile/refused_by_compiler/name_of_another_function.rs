// expect: declaration of a function with `export_name`
// A function takes the name of one that the kernel calls.

#![no_std]
#![forbid(unsafe_code)]

#[unsafe(export_name = "memcpy")] //~ wrong
#[inline(never)] //~ right
pub extern "C" fn copy(target: usize, _source: usize, _count: usize) -> usize {
    target
}
