//! `echo [-n] WORD ...` writes its words, one blank between them; after `-n` without the end of the line.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let (words, ends_line) = match &*words {
        [option, words @ ..] if option == "-n" => (words, false),
        words => (words, true),
    };
    for (index, word) in words.iter().enumerate() {
        let blank = if index == 0 { "" } else { " " };
        write!(environment, "{blank}{word}")?;
    }
    if ends_line {
        writeln!(environment)?;
    }
    Ok(())
}
