//! Files as an application names them, and its input as one of them.
//!
//! To an application: a relative path begins in the directory that the application inherited; `-` and no path at all mean
//! its input. Every refusal names the path as it was typed. Reading is a cancellation point.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod lines;
mod target;

pub use lines::Lines;
pub use target::{Target, target};

use alloc::string::String;
use application::{Environment, Failure};
use vfs::{About, Entry, File, FsError, Metadata};

/// A refusal about a path.
pub fn refused(path: &str, error: FsError) -> Failure {
    Failure::refused(About::new(path, error))
}

/// The absolute path that `path` means to the application.
///
/// # Errors
/// The path is empty or has a part that is no name.
pub fn absolute(environment: &Environment, path: &str) -> Result<String, Failure> {
    vfs::absolute(environment.inherited().directory(), path).map_err(|error| refused(path, error))
}

/// Carries out one operation on the file or directory that the application calls `path`.
///
/// # Errors
/// Those of the operation, with the path.
pub fn at<T>(
    environment: &Environment,
    path: &str,
    operation: impl FnOnce(&str) -> Result<T, FsError>,
) -> Result<T, Failure> {
    operation(&absolute(environment, path)?).map_err(|error| refused(path, error))
}

/// The file or directory `path`, if there is one.
///
/// # Errors
/// All but that there is none.
pub fn metadata(environment: &Environment, path: &str) -> Result<Option<Metadata>, Failure> {
    at(environment, path, |path| match vfs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(FsError::NotFound) => Ok(None),
        Err(error) => Err(error),
    })
}

/// The names in a directory, sorted.
///
/// # Errors
/// There is no such directory.
pub fn list(environment: &Environment, path: &str) -> Result<alloc::vec::Vec<Entry>, Failure> {
    at(environment, path, vfs::list)
}

/// The last name in a path; a path without one gives nothing.
pub fn last_name(path: &str) -> &str {
    path.rsplit('/').find(|name| !name.is_empty()).unwrap_or_default()
}

/// A file that is read, or the application's input.
pub enum Source {
    /// A file, and the path that it was opened by.
    File(File, String),
    /// The input.
    Input,
}

impl Source {
    /// Opens the file `path`; `-` is the input.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(environment: &Environment, path: &str) -> Result<Self, Failure> {
        if path == "-" {
            return Ok(Self::Input);
        }
        at(environment, path, File::open).map(|file| Self::File(file, String::from(path)))
    }

    /// Reads at least one byte, or none at the end.
    ///
    /// # Errors
    /// The file or the input cannot be read.
    pub fn read(&mut self, environment: &mut Environment, buffer: &mut [u8]) -> Result<usize, Failure> {
        task::cancellation_point();
        match self {
            Self::File(file, path) => file.read(buffer).map_err(|error| refused(path, error)),
            Self::Input => Ok(environment.input().read(buffer)?),
        }
    }

    /// The path that it was opened by.
    pub fn name(&self) -> &str {
        match self {
            Self::File(_, path) => path,
            Self::Input => "-",
        }
    }
}

/// Calls `work` with each file that is named in turn, or with the input if no file is.
///
/// # Errors
/// Those of `work`, and of opening the files. The files after that one are not looked at.
pub fn each_source(
    environment: &mut Environment,
    paths: &[String],
    mut work: impl FnMut(&mut Environment, &mut Source) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if paths.is_empty() {
        return work(environment, &mut Source::Input);
    }
    for path in paths {
        let mut source = Source::open(environment, path)?;
        work(environment, &mut source)?;
    }
    Ok(())
}

/// Writes a line and its end.
///
/// # Errors
/// Those of the output.
pub fn write_line(environment: &mut Environment, line: &[u8]) -> Result<(), Failure> {
    let output = environment.output();
    output.write(line)?;
    Ok(output.write(b"\n")?)
}
