//! `echo WORD ...` writes its words, one blank between them.
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
    for (index, word) in words.iter().enumerate() {
        let blank = if index == 0 { "" } else { " " };
        write!(environment, "{blank}{word}")?;
    }
    writeln!(environment)?;
    Ok(())
}
