//! `mkdir [-p] DIRECTORY ...` makes directories; with `-p` also those above, and one that is there is no refusal.
#![no_std]
#![forbid(unsafe_code)]

use application::{Choice, Environment, ExitCode, Failure, Options};
use vfs::{FsError, Kind};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[Choice::Flag('p')], manual::MKDIR.usage)?;
    if options.arguments().is_empty() {
        return Err(manual::MKDIR.usage.into());
    }
    for path in options.arguments() {
        let make = if options.has('p') { make_all } else { vfs::create_directory };
        files::at(environment, path, make)?;
    }
    Ok(())
}

/// Makes a directory with those above it. The path is absolute.
fn make_all(path: &str) -> Result<(), FsError> {
    let ends = path.match_indices('/').map(|(slash, _)| slash).skip(1).chain([path.len()]);
    for above in ends.filter_map(|end| path.get(..end)) {
        match vfs::create_directory(above) {
            Err(FsError::Exists) if vfs::metadata(above)?.kind == Kind::Directory => {}
            outcome => outcome?,
        }
    }
    Ok(())
}
