// expect: incorrect number of function parameters
// An entry with another type would take the words of a register for a slice.

#![no_std]
#![forbid(unsafe_code)]

use application::{Entry, Environment, ExitCode};

pub fn main(_environment: &mut Environment, _more: &'static [u8]) -> ExitCode { //~ wrong
pub fn main(_environment: &mut Environment) -> ExitCode { //~ right
    ExitCode::SUCCESS
}

pub const ENTRY: Entry = main; //~ wrong
pub const ENTRY: Entry = main; //~ right
