// expect: unused `Result` that must be used
// The result of a conversion holds a mapping in either case and cannot be overlooked.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, Writable};

pub fn seal(data: MappedPages<Writable>) {
    data.into_read_only(); //~ wrong
    drop(data.into_read_only()); //~ right
}
