//! `ls [PATH ...]` lists directories and files: size and name, a `/` after a directory's.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use vfs::{About, Kind, Metadata};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let paths = environment.arguments();
    if paths.is_empty() {
        return list(environment, "/");
    }
    paths.iter().try_for_each(|path| list(environment, path))
}

fn list(environment: &mut Environment, path: &str) -> Result<(), Failure> {
    let about = |error| Failure::refused(About::new(path, error));
    let metadata = vfs::metadata(path).map_err(about)?;
    if metadata.kind == Kind::File {
        return show(environment, path, metadata);
    }
    for entry in vfs::list(path).map_err(about)? {
        show(environment, &entry.name, entry.metadata)?;
    }
    Ok(())
}

fn show(environment: &mut Environment, name: &str, metadata: Metadata) -> Result<(), Failure> {
    let mark = if metadata.kind == Kind::Directory { "/" } else { "" };
    writeln!(environment, "{:>10} {name}{mark}", metadata.size)?;
    Ok(())
}
