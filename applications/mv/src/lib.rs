//! `mv [-f] FROM ... TO` moves files and directories: to another name, or into the directory `TO`.
#![no_std]
#![forbid(unsafe_code)]

use application::{Choice, Environment, ExitCode, Failure, Options};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[Choice::Flag('f')], manual::MV.usage)?;
    let [from @ .., to] = options.arguments() else { return Err(manual::MV.usage.into()) };
    if from.is_empty() {
        return Err(manual::MV.usage.into());
    }
    for path in from {
        let target = files::target(environment, path, to, from.len() > 1)?;
        target.must_be_free(options.has('f'))?;
        files::at(environment, path, |path| vfs::rename(path, target.path()))?;
    }
    Ok(())
}
