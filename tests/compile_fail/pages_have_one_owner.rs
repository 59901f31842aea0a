// expect: use of moved value: `pages`
// A range of addresses has one owner.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use pages::{AllocatedPages, PagesError};

fn consume(_pages: AllocatedPages) {}

pub fn give() -> Result<(), PagesError> {
    let pages = pages::allocate(4)?;
    consume(pages);
    consume(pages); //~ wrong
    Ok(())
}
