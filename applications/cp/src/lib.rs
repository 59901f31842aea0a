//! `cp [-f] FROM ... TO` copies files: to another name, or into the directory `TO`.
#![no_std]
#![forbid(unsafe_code)]

use application::{Choice, Environment, ExitCode, Failure, Options};
use files::Target;
use vfs::{File, FsError};

/// One operation carries a screenful, and the stack is not burdened.
const BUFFER: usize = 1024;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[Choice::Flag('f')], manual::CP.usage)?;
    let [from @ .., to] = options.arguments() else { return Err(manual::CP.usage.into()) };
    if from.is_empty() {
        return Err(manual::CP.usage.into());
    }
    for path in from {
        let mut source = files::at(environment, path, File::open)?;
        let target = files::target(environment, path, to, from.len() > 1)?;
        target.must_be_free(options.has('f'))?;
        transfer(&mut source, &target).map_err(|error| files::refused(target.name(), error))?;
    }
    Ok(())
}

/// The target is emptied only when it is known to be another file: nothing would be left to copy otherwise.
fn transfer(source: &mut File, target: &Target) -> Result<(), FsError> {
    let mut buffer = [0; BUFFER];
    let mut target = File::append(target.path())?;
    if target.is_same(source) {
        return Err(FsError::Exists);
    }
    target.truncate()?;
    loop {
        let count = source.read(&mut buffer)?;
        match buffer.get(..count) {
            Some(bytes @ [_, ..]) => target.write(bytes)?,
            _ => return Ok(()),
        }
    }
}
