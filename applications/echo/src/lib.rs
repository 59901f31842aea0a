//! `echo WORD ...` writes its words, one blank between them.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, StreamError};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result.map_err(Into::into))
}

fn run(environment: &mut Environment) -> Result<(), StreamError> {
    let words = environment.arguments();
    for (index, word) in words.iter().enumerate() {
        let blank = if index == 0 { "" } else { " " };
        write!(environment, "{blank}{word}")?;
    }
    writeln!(environment)
}
