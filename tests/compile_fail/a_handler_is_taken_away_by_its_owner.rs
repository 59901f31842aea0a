// expect: field `vector` of struct `Registration` is private
// The right to take a handler away is a value. Registering the handler gives it; no other function makes one.

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
