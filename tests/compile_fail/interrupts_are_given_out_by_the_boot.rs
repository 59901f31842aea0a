// expect: call to unsafe function
// The right to give out interrupts cannot be made up by safe code: a driver is given its interrupt.

#![no_std]
#![forbid(unsafe_code)]

use interrupts::{ClaimError, Interrupt, InterruptCap, vectors};

pub fn take(given: Interrupt) -> Result<Interrupt, ClaimError> {
    let given = Interrupt::claim(InterruptCap::new(), vectors::TIMER)?; //~ wrong
    Ok(given)
}
