//! `env` lists the variables, as lines `NAME=value`.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [] = &*environment.arguments() else { return Err(manual::ENV.usage.into()) };
    let inherited = environment.inherited().clone();
    for (name, value) in inherited.variables() {
        writeln!(environment, "{name}={value}")?;
    }
    Ok(())
}
