//! `cat [FILE ...]` writes files, or its input, to its output.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure, Options};

/// One operation carries a screenful, and the stack is not burdened.
const BUFFER: usize = 1024;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[], manual::CAT.usage)?;
    files::each_source(environment, options.arguments(), |environment, source| {
        let mut buffer = [0; BUFFER];
        loop {
            let count = source.read(environment, &mut buffer)?;
            match buffer.get(..count) {
                Some(bytes @ [_, ..]) => environment.output().write(bytes)?,
                _ => return Ok(()),
            }
        }
    })
}
