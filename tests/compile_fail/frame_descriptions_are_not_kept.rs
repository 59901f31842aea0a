// expect: call to unsafe function
// A description lies in the memory of its cell, which can be unloaded; the entry for an address is a copy.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn description(address: u64) -> usize {
    unwind_table::find(address).map_or(0, |found| found.eh_frame.len()) //~ wrong
    unwind_table::entry(address).map_or(0, |entry| entry.length as usize) //~ right
}
