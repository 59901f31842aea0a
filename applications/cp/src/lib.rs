//! `cp FROM TO` copies a file; into the directory `TO`, if that is one.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use application::{Environment, ExitCode, Failure};
use vfs::{About, File, FsError, Kind};

/// One operation carries a screenful, and the stack is not burdened.
const BUFFER: usize = 1024;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    match &*environment.arguments() {
        [from, to] => copy(from, to),
        _ => Err(manual::CP.usage.into()),
    }
}

fn copy(from: &str, to: &str) -> Result<(), Failure> {
    let mut source = File::open(from).map_err(|error| Failure::refused(About::new(from, error)))?;
    let to = target(from, to);
    transfer(&mut source, &to).map_err(|error| Failure::refused(About::new(&to, error)))
}

/// Where the copy goes.
fn target(from: &str, to: &str) -> String {
    match vfs::metadata(to) {
        Ok(metadata) if metadata.kind == Kind::Directory => {
            let name = from.rsplit('/').find(|name| !name.is_empty()).unwrap_or_default();
            format!("{}/{name}", to.trim_end_matches('/'))
        }
        // If it does not exist it is made, and if it cannot be, that is said then.
        _ => String::from(to),
    }
}

/// The target is emptied only when it is known to be another file: nothing would be left to copy otherwise.
fn transfer(source: &mut File, to: &str) -> Result<(), FsError> {
    let mut buffer = [0; BUFFER];
    let mut target = File::append(to)?;
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
