// expect: usage of an `unsafe` block
// An application cannot use `unsafe`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use application::{Environment, ExitCode};


pub fn main(environment: &mut Environment) -> ExitCode {
    let first = unsafe { *(0x1000 as *const usize) }; //~ wrong
    let first = environment.arguments().len(); //~ right
    let _ = (first, environment);
    ExitCode::SUCCESS
}
