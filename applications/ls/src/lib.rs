//! `ls [-l] [PATH ...]` lists directories and files, a `/` after a directory's name: in columns on a terminal, else one to a
//! line; with `-l` a line for each, with its kind and size.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use application::{Choice, Environment, ExitCode, Failure, Options};
use vfs::{FsError, Kind, Metadata};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[Choice::Flag('l')], manual::LS.usage)?;
    let long = options.has('l');
    if options.arguments().is_empty() {
        return list(environment, ".", long);
    }
    let headings = options.arguments().len() > 1;
    for path in options.arguments() {
        if headings {
            writeln!(environment, "{path}:")?;
        }
        list(environment, path, long)?;
    }
    Ok(())
}

fn list(environment: &mut Environment, path: &str, long: bool) -> Result<(), Failure> {
    let metadata = files::metadata(environment, path)?.ok_or_else(|| files::refused(path, FsError::NotFound))?;
    let entries: Vec<(String, Metadata)> = if metadata.kind == Kind::File {
        Vec::from([(String::from(path), metadata)])
    } else {
        let marked = |entry: vfs::Entry| {
            let mark = if entry.metadata.kind == Kind::Directory { "/" } else { "" };
            (format!("{}{mark}", entry.name), entry.metadata)
        };
        files::list(environment, path)?.into_iter().map(marked).collect()
    };
    if long {
        for (name, Metadata { kind, size }) in &entries {
            let kind = if *kind == Kind::Directory { "directory" } else { "file" };
            writeln!(environment, "{size:>10} {kind:<9} {name}")?;
        }
        return Ok(());
    }
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    for row in columns::lay_out(&names, environment.columns().unwrap_or(0)) {
        writeln!(environment, "{row}")?;
    }
    Ok(())
}
