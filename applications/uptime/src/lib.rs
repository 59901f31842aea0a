//! `uptime` tells how long the system has been running.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [] = &*environment.arguments() else {
        return Err(manual::UPTIME.usage.into());
    };
    let time = clock::since_boot();
    let (days, seconds) = (time.as_secs() / 86_400, time.as_secs() % 86_400);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if days > 0 {
        write!(environment, "{days} days ")?;
    }
    writeln!(environment, "{hours}:{minutes:02}:{seconds:02}.{:03}", time.subsec_millis())?;
    Ok(())
}
