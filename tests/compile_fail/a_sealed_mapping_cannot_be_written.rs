// expect: moved value: `data`
// Making code of data takes the data: no writable mapping remains.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::{MappedPages, Refused, Writable};

pub fn seal(mut data: MappedPages<Writable>) -> Result<usize, Refused<Writable>> {
    data.bytes_mut().fill(0xcc); //~ right
    let code = data.into_executable()?;
    data.bytes_mut().fill(0xcc); //~ wrong
    Ok(code.len())
}
