//! `sort [-nru] [FILE ...]` writes the lines of files, or of its input, in order.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use application::{Choice, Environment, ExitCode, Failure, Options};
use core::cmp::Ordering;
use files::Lines;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &['n', 'r', 'u'].map(Choice::Flag), manual::SORT.usage)?;
    let mut all: Vec<Vec<u8>> = Vec::new();
    files::each_source(environment, options.arguments(), |environment, source| {
        let mut lines = Lines::new();
        while let Some(line) = lines.next(environment, source)? {
            all.push(line.into());
        }
        Ok(())
    })?;
    let compare = if options.has('n') { by_number } else { by_bytes };
    all.sort_by(|one, other| if options.has('r') { compare(other, one) } else { compare(one, other) });
    if options.has('u') {
        all.dedup();
    }
    all.iter().try_for_each(|line| files::write_line(environment, line))
}

fn by_bytes(one: &[u8], other: &[u8]) -> Ordering {
    one.cmp(other)
}

/// Lines with equal numbers are in the order of their bytes, so equal lines stand together.
fn by_number(one: &[u8], other: &[u8]) -> Ordering {
    number(one).cmp(&number(other)).then_with(|| one.cmp(other))
}

/// The number that a line begins with; a line without one counts as 0.
fn number(line: &[u8]) -> i128 {
    let line = line.trim_ascii_start();
    let (line, sign) = line.strip_prefix(b"-").map_or((line, 1), |rest| (rest, -1));
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit());
    sign * digits.fold(0i128, |number, digit| number.saturating_mul(10).saturating_add((digit - b'0').into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_the_beginning() {
        assert_eq!([&b"12 a"[..], b" -3", b"a", b""].map(number), [12, -3, 0, 0]);
        assert_eq!(number(&[b'9'; 60]), i128::MAX);
        assert_eq!(by_number(b"2", b"10"), Ordering::Less);
        assert_eq!(by_bytes(b"2", b"10"), Ordering::Greater);
    }
}
