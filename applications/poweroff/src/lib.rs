//! `poweroff` turns the machine off.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use power::ExitStatus;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [] = &*environment.arguments() else { return Err(manual::POWEROFF.usage.into()) };
    writeln!(environment, "power off")?;
    environment.output().flush()?;
    terminal::drain();
    power::exit(ExitStatus::Success)
}
