// expect: mismatched types
// The right to look at a task does not become the right to end it.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task::{Joinable, KillCapability};

pub fn right(child: &Joinable<()>) -> KillCapability {
    let right: KillCapability = child.observe(); //~ wrong
    let right: KillCapability = child.kill_capability(); //~ right
    right
}
