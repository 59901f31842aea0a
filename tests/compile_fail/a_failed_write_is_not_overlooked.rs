// expect: unused `Result` that must be used
// Output can be disconnected, and an application must look.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use application::{Environment, ExitCode};

pub fn main(environment: &mut Environment) -> ExitCode {
    write!(environment, "text"); //~ wrong
    if write!(environment, "text").is_err() { return ExitCode::SUCCESS; } //~ right
    ExitCode::SUCCESS
}
