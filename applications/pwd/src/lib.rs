//! `pwd` tells the directory that relative paths begin in.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [] = &*environment.arguments() else { return Err(manual::PWD.usage.into()) };
    let inherited = environment.inherited().clone();
    Ok(writeln!(environment, "{}", inherited.directory())?)
}
