//! `tee [-a] FILE ...` writes its input to files and to its output.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use application::{Choice, Environment, ExitCode, Failure, Options};
use files::Source;
use vfs::File;

/// Bytes that are read at once.
const BUFFER: usize = 1024;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[Choice::Flag('a')], manual::TEE.usage)?;
    if options.arguments().is_empty() {
        return Err(manual::TEE.usage.into());
    }
    let open = if options.has('a') { File::append } else { File::create };
    let mut copies = Vec::new();
    for path in options.arguments() {
        copies.push((path, files::at(environment, path, open)?));
    }
    let mut buffer = [0; BUFFER];
    loop {
        let count = Source::Input.read(environment, &mut buffer)?;
        let Some(bytes @ [_, ..]) = buffer.get(..count) else { return Ok(()) };
        for (path, file) in &mut copies {
            file.write(bytes).map_err(|error| files::refused(path, error))?;
        }
        environment.output().write(bytes)?;
    }
}
