// expect: call to unsafe function
// The unwinder goes where frame information says.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

extern crate alloc;

use alloc::boxed::Box;
use unwind_table::{FrameEntry, TextRange};

pub fn describe(range: TextRange, entries: Box<[FrameEntry]>) -> usize {
    let _registration = unwind_table::register(range, &[], entries); //~ wrong
    drop((range, entries)); //~ right
    unwind_table::registered()
}
