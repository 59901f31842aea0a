//! `tail [-n LINES] [FILE ...]` writes the last lines of files, or of its input.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
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
    let options = Options::read(&words, &[Choice::Value('n'), Choice::Number('n')], manual::TAIL.usage)?;
    let count = lines(&options)?;
    files::each_source(environment, options.arguments(), |environment, source| {
        let mut lines = Lines::new();
        let mut last: VecDeque<Vec<u8>> = VecDeque::new();
        while let Some(line) = lines.next(environment, source)? {
            last.push_back(line.into());
            if last.len() > count {
                last.pop_front();
            }
        }
        last.iter().try_for_each(|line| files::write_line(environment, line))
    })
}

/// The number of lines.
fn lines(options: &Options<'_>) -> Result<usize, Failure> {
    let number = options.value('n').map_or(Ok(DEFAULT), str::parse);
    number.map_err(|_| manual::TAIL.usage.into())
}
