//! `reboot` starts the machine anew.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [] = &*environment.arguments() else { return Err(manual::REBOOT.usage.into()) };
    writeln!(environment, "reboot")?;
    environment.output().flush()?;
    terminal::drain();
    power::reset()
}
