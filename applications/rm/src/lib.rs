//! `rm [-rf] PATH ...` removes files and empty directories, with `-r` all that is in them; it tells of each path that it
//! cannot remove.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use application::{Choice, Environment, ExitCode, Failure, Options};
use vfs::{FsError, Kind};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[Choice::Flag('r'), Choice::Flag('f')], manual::RM.usage)?;
    if options.arguments().is_empty() {
        return Err(manual::RM.usage.into());
    }
    let mut refused = None;
    for path in options.arguments() {
        let outcome = files::at(environment, path, |path| {
            let removed = if options.has('r') { remove_all(path) } else { vfs::remove(path) };
            removed.or_else(|error| if options.has('f') && error == FsError::NotFound { Ok(()) } else { Err(error) })
        });
        if let Err(failure) = outcome
            && let Some(earlier) = refused.replace(failure)
        {
            environment.complain(&earlier);
        }
    }
    refused.map_or(Ok(()), Err)
}

/// Removes a file, or a directory with all that is in it. A tree may be deeper than a stack, so this is a loop: the last
/// path is removed when there is nothing below it any more.
fn remove_all(path: &str) -> Result<(), FsError> {
    let mut open: Vec<String> = Vec::from([String::from(path)]);
    while let Some(path) = open.last() {
        if vfs::metadata(path)?.kind == Kind::Directory {
            let below: Vec<String> = vfs::list(path)?.iter().map(|entry| format!("{path}/{}", entry.name)).collect();
            if !below.is_empty() {
                open.extend(below);
                continue;
            }
        }
        vfs::remove(path)?;
        open.pop();
    }
    Ok(())
}
