// expect: mismatched types
// What can be written is not what can be executed: the types differ.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{Executable, MappedPages, Refused, Writable};

fn run(_code: MappedPages<Executable>) {}

pub fn start(data: MappedPages<Writable>) -> Result<(), Refused<Writable>> {
    run(data); //~ wrong
    run(data.into_executable()?); //~ right
    Ok(())
}
