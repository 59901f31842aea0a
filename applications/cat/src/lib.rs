//! `cat [FILE ...]` writes files, or its input, to its output.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use vfs::{About, File};

/// One operation carries a screenful, and the stack is not burdened.
const BUFFER: usize = 1024;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let mut buffer = [0; BUFFER];
    let paths = environment.arguments();
    if paths.is_empty() {
        while environment.copy(&mut buffer)? > 0 {}
    }
    for path in paths.iter() {
        let about = |error| Failure::refused(About::new(path, error));
        let mut file = File::open(path).map_err(about)?;
        loop {
            let count = file.read(&mut buffer).map_err(about)?;
            let Some(bytes @ [_, ..]) = buffer.get(..count) else {
                break;
            };
            environment.output().write(bytes)?;
        }
    }
    Ok(())
}
