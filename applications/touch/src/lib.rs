//! `touch FILE ...` makes empty files where there are none. A file that is there stays as it is.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure, Options};
use vfs::File;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[], manual::TOUCH.usage)?;
    if options.arguments().is_empty() {
        return Err(manual::TOUCH.usage.into());
    }
    options.arguments().iter().try_for_each(|path| files::at(environment, path, |path| File::append(path).map(drop)))
}
