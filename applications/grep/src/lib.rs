//! `grep [-ivnc] PATTERN [FILE ...]` writes the lines of files, or of its input, that a regular expression is found in.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use application::{Choice, Environment, ExitCode, Failure, Options};
use files::Lines;
use pattern::Pattern;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &['i', 'v', 'n', 'c'].map(Choice::Flag), manual::GREP.usage)?;
    let [pattern, paths @ ..] = options.arguments() else { return Err(manual::GREP.usage.into()) };
    let pattern = Pattern::new(pattern, options.has('i')).map_err(Failure::refused)?;
    let search = Search { pattern, others: options.has('v'), numbers: options.has('n'), only_count: options.has('c') };
    let named = paths.len() > 1;
    files::each_source(environment, paths, |environment, source| {
        let prefix = if named { alloc::format!("{}:", source.name()) } else { String::new() };
        let (mut lines, mut number, mut found) = (Lines::new(), 0u64, 0u64);
        while let Some(line) = lines.next(environment, source)? {
            number += 1;
            if search.wants(line) {
                found += 1;
                search.show(environment, &prefix, number, line)?;
            }
        }
        if search.only_count {
            writeln!(environment, "{prefix}{found}")?;
        }
        Ok(())
    })
}

/// The pattern, and the form of the output.
struct Search {
    pattern: Pattern,
    /// Lines without the pattern.
    others: bool,
    numbers: bool,
    only_count: bool,
}

impl Search {
    fn wants(&self, line: &[u8]) -> bool {
        self.pattern.is_match(&String::from_utf8_lossy(line)) != self.others
    }

    fn show(&self, environment: &mut Environment, prefix: &str, number: u64, line: &[u8]) -> Result<(), Failure> {
        if self.only_count {
            return Ok(());
        }
        write!(environment, "{prefix}")?;
        if self.numbers {
            write!(environment, "{number}:")?;
        }
        files::write_line(environment, line)
    }
}
