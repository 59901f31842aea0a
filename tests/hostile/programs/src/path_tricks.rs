//! Uses paths that lead out of a directory, name no file, or name the wrong kind of node.
//!
//! Ends: returns. Each is refused, and the tree is as it was.

use alloc::string::String;
use alloc::vec::Vec;

use application::{Environment, Failure};
use vfs::File;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let names = || -> Result<Vec<String>, Failure> {
        Ok(vfs::list("/").map_err(Failure::refused)?.into_iter().map(|entry| entry.name).collect())
    };
    let before = names()?;
    let long = "x".repeat(100_000);
    let deep = "/tmp/".repeat(20_000);
    let tricks = [
        "",
        "/",
        "//",
        ".",
        "..",
        "/..",
        "/tmp/..",
        "/tmp/../tmp/x/../..",
        "/tmp/a\0b",
        "/tmp/a\nb",
        long.as_str(),
        deep.as_str(),
    ];
    for (number, path) in tricks.iter().enumerate() {
        crate::expect(File::create(path).is_err(), format_args!("a file was made of path {number}"))?;
        crate::expect(vfs::remove(path).is_err(), format_args!("path {number} was removed"))?;
        crate::expect(vfs::create_directory(path).is_err(), format_args!("a directory was made of path {number}"))?;
    }
    crate::expect(File::open("/tmp").is_err(), "a directory was opened as a file")?;
    crate::expect(names()? == before, "the root has changed")?;
    crate::harmless(environment, format_args!("{} paths were refused", tricks.len()))
}
