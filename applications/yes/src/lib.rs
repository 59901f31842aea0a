//! `yes [WORD ...]` writes its words, or `y`, line after line until its reader has enough.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let line = if words.is_empty() { String::from("y") } else { words.join(" ") };
    loop {
        writeln!(environment, "{line}")?;
        task::cancellation_point();
    }
}
