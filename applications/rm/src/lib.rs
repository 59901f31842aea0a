//! `rm PATH ...` removes files and empty directories.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use vfs::About;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let paths = environment.arguments();
    if paths.is_empty() {
        return Err(manual::RM.usage.into());
    }
    for path in paths.iter() {
        vfs::remove(path).map_err(|error| Failure::refused(About::new(path, error)))?;
    }
    Ok(())
}
