//! `seq [FIRST [STEP]] LAST` writes numbers, one to a line.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let number = |word: &str| word.parse::<i64>().map_err(|_| manual::SEQ.usage);
    let (first, step, last) = match &*environment.arguments() {
        [last] => (1, 1, number(last)?),
        [first, last] => (number(first)?, 1, number(last)?),
        [first, step, last] => (number(first)?, number(step)?, number(last)?),
        _ => return Err(manual::SEQ.usage.into()),
    };
    if step == 0 {
        return Err(manual::SEQ.usage.into());
    }
    let mut next = Some(first);
    while let Some(number) = next.filter(|number| if step > 0 { *number <= last } else { *number >= last }) {
        writeln!(environment, "{number}")?;
        task::cancellation_point();
        next = number.checked_add(step);
    }
    Ok(())
}
