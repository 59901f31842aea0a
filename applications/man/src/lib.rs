//! `man NAME` shows the page of a command.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [name] = &*environment.arguments() else { return Err(manual::MAN.usage.into()) };
    let page = manual::find(name).map_err(Failure::refused)?;
    Ok(write!(environment, "{page}")?)
}
