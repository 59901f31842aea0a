// expect: unused `Registration` that must be used
// A handler is called for as long as its registration is kept: one that is dropped at once handles nothing.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use interrupts::{Interrupt, Interrupted, Registration};

fn handle(_interrupted: &mut Interrupted<'_>) {}

pub fn start(interrupt: Interrupt, kept: &mut Option<Registration>) {
    interrupt.handle(handle); //~ wrong
    *kept = Some(interrupt.handle(handle)); //~ right
}
