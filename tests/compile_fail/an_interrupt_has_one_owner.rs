// expect: use of moved value: `serial`
// An interrupt that is handled belongs to its registration, so it cannot get a second handler.

#![no_std]
#![forbid(unsafe_code)]

use interrupts::{Interrupt, Interrupted, Registration};

fn first(_interrupted: &mut Interrupted<'_>) {}

fn second(_interrupted: &mut Interrupted<'_>) {}

pub fn start(serial: Interrupt, other: Interrupt) -> (Registration, Registration) {
    let one = serial.handle(first);
    let two = serial.handle(second); //~ wrong
    let two = other.handle(second); //~ right
    (one, two)
}
