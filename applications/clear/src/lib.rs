//! `clear` erases the screen. Where the output is no terminal it does nothing.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [] = &*environment.arguments() else { return Err(manual::CLEAR.usage.into()) };
    if environment.columns().is_some() {
        // To the first row, and nothing below it.
        write!(environment, "\x1b[H\x1b[2J")?;
    }
    Ok(())
}
