// expect: mismatched types
// The loader calls `main` with an environment: another signature is refused where the entry is named.

#![no_std]
#![forbid(unsafe_code)]

use application::{Entry, Environment, ExitCode};

pub fn main(_arguments: &[&str]) -> ExitCode { //~ wrong
pub fn main(_environment: &mut Environment) -> ExitCode { //~ right
    ExitCode::SUCCESS
}

pub const ENTRY: Entry = main; //~ wrong
pub const ENTRY: Entry = main; //~ right
