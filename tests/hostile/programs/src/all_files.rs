//! Makes files until there is no more room for any, each a little longer, then removes them.
//!
//! Ends: returns. The tree refuses the last one with an error, and has all its room again when the files are gone.

use alloc::format;
use alloc::vec;

use application::{Environment, Failure};
use vfs::{File, FsError};

const DIRECTORY: &str = "/tmp/hostile_files";
/// More than the tree holds.
const FILES: usize = 100_000;
/// Added to the size of each file.
const STEP: usize = 4096;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let used = || vfs::usage().map(|all| all.iter().map(|(_, usage)| usage.used).sum::<u64>());
    let before = used().map_err(Failure::refused)?;
    vfs::create_directory(DIRECTORY).map_err(Failure::refused)?;
    let mut made = 0;
    let refusal = loop {
        match fill(made) {
            Ok(()) if made < FILES => made += 1,
            Ok(()) => break None,
            Err(error) => break Some(error),
        }
    };
    // The file that was refused may exist without its contents.
    for number in 0..=made {
        let _absent = vfs::remove(&name(number));
    }
    vfs::remove(DIRECTORY).map_err(Failure::refused)?;
    crate::expect(refusal.is_some(), "files without end were made")?;
    crate::expect(used().map_err(Failure::refused)? == before, "removed files take up room")?;
    crate::harmless(
        environment,
        format_args!("{made} files were made, then: {:?}", refusal.map(|error| format!("{error}"))),
    )
}

fn name(number: usize) -> alloc::string::String {
    format!("{DIRECTORY}/{number}")
}

fn fill(number: usize) -> Result<(), FsError> {
    File::create(&name(number))?.write(&vec![b'x'; number * STEP])
}
