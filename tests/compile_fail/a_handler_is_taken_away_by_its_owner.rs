// expect: field `vector` of struct `Registration` is private
// The right to take a handler away is given to whoever registered it, and is made up by nobody.

#![no_std]
#![forbid(unsafe_code)]

use interrupts::{RegisterError, Registration, SavedRegisters, vectors};

fn handle(_registers: &mut SavedRegisters) {}

pub fn take_away() -> Result<(), RegisterError> {
    let registration = Registration { vector: vectors::TIMER }; //~ wrong
    let registration = interrupts::register(vectors::LAST_DEVICE, handle)?; //~ right
    drop(registration);
    Ok(())
}
