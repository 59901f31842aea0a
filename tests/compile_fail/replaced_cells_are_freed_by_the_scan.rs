// expect: call to unsafe function
// Only the scan that has looked for references frees a replaced cell, because tasks may still stand in it.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

extern crate alloc;

use alloc::vec::Vec;
use namespace::parts::{ReclaimCap, free_retired};

pub fn look() -> usize {
    free_retired(ReclaimCap::new(), Vec::new()); //~ wrong
    namespace::retired_cells().len()
}
