// expect: field `handle` of struct `vfs::File` is private
// Two files with one handle would close it twice.

#![no_std]
#![forbid(unsafe_code)]

use vfs::{File, FsError};

pub fn run(file: &File) -> Result<u64, FsError> {
    file.handle.size() //~ wrong
    file.size() //~ right
}
