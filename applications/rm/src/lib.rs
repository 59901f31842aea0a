//! `rm PATH ...` removes files and empty directories; each that it cannot remove is told of.
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
    let mut refused = None;
    for path in paths.iter() {
        if let Err(error) = vfs::remove(path)
            && let Some(earlier) = refused.replace(About::new(path, error))
        {
            environment.complain(&earlier);
        }
    }
    refused.map_or(Ok(()), |last| Err(Failure::refused(last)))
}
