// expect: unsafe
// An application cannot take over a symbol of the kernel by its bare name.

#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode};

pub fn main(_environment: &mut Environment) -> ExitCode {
    memcpy();
    ExitCode::SUCCESS
}

#[unsafe(no_mangle)] //~ wrong
fn memcpy() {}
