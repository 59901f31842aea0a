//! `head [-n LINES] [FILE ...]` writes the first lines of files, or of its input.
#![no_std]
#![forbid(unsafe_code)]

use application::{Choice, Environment, ExitCode, Failure, Options};
use files::Lines;

/// The number of lines, if none is given.
const DEFAULT: usize = 10;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[Choice::Value('n'), Choice::Number('n')], manual::HEAD.usage)?;
    let count = lines(&options)?;
    files::each_source(environment, options.arguments(), |environment, source| {
        let mut lines = Lines::new();
        for _ in 0..count {
            let Some(line) = lines.next(environment, source)? else { break };
            files::write_line(environment, line)?;
        }
        Ok(())
    })
}

/// The number of lines.
fn lines(options: &Options<'_>) -> Result<usize, Failure> {
    let number = options.value('n').map_or(Ok(DEFAULT), str::parse);
    number.map_err(|_| manual::HEAD.usage.into())
}
