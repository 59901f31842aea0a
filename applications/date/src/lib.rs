//! `date [SECONDS]` tells date and time, once or each second for so long.
#![no_std]
#![forbid(unsafe_code)]

mod text;

use application::{Environment, ExitCode, Failure};
use core::fmt;
use core::time::Duration;

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
    let seconds = match &*environment.arguments() {
        [] => 0,
        [seconds] => seconds.parse::<u32>().map_err(|_| manual::DATE.usage)?,
        _ => return Err(manual::DATE.usage.into()),
    };
    let end = clock::now() + Duration::from_secs(seconds.into());
    loop {
        let date = real_time_clock::now().ok_or_else(|| Failure::refused(Unknown))?;
        writeln!(environment, "{}", text::of(date))?;
        if clock::now() >= end {
            return Ok(());
        }
        task::sleep(Duration::from_secs(1));
    }
}
