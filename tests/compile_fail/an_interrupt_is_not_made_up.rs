// expect: field `vector` of struct `Interrupt` is private
// An interrupt is given out by a cell with the right to do so, and cannot be made from its number.

#![no_std]
#![forbid(unsafe_code)]

use interrupts::{ClaimError, Interrupt, InterruptCap, vectors};

pub fn timer(right: InterruptCap) -> Result<Interrupt, ClaimError> {
    let interrupt = Interrupt { vector: vectors::TIMER }; //~ wrong
    let interrupt = Interrupt::claim(right, vectors::LAST_DEVICE)?; //~ right
    Ok(interrupt)
}
