//! `date` tells date and time.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::fmt;

/// The machine's clock could not be read when it started.
struct Unknown;

impl fmt::Display for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("this machine does not know the date")
    }
}

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [] = &*environment.arguments() else { return Err(manual::DATE.usage.into()) };
    let date = real_time_clock::now().ok_or_else(|| Failure::refused(Unknown))?;
    writeln!(environment, "{date}")?;
    Ok(())
}
