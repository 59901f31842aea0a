//! `count LAST [MILLISECONDS]` writes the numbers from 1 to the last, each on a line of its own, with a pause before each:
//! output at a steady pace, to see whether all of it comes, once and in order.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::time::Duration;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let arguments = environment.arguments();
    let (last, pause) = match &*arguments {
        [last] => (last, None),
        [last, pause] => (last, Some(pause)),
        _ => return Err(manual::COUNT.usage.into()),
    };
    let number = |word: &str| word.parse::<u32>().map_err(|_| manual::COUNT.usage);
    let last = number(last)?;
    let pause = pause.map(|word| number(word)).transpose()?;
    for number in 1..=last {
        if let Some(milliseconds) = pause {
            task::sleep(Duration::from_millis(milliseconds.into()));
        }
        writeln!(environment, "count {number}")?;
        task::cancellation_point();
    }
    Ok(())
}
