// expect: allow(unsafe_code) incompatible with previous forbid
// Neither can it allow itself to.

#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode};

#[allow(unsafe_code)] //~ wrong
pub fn main(_environment: &mut Environment) -> ExitCode {
    ExitCode::SUCCESS
}
