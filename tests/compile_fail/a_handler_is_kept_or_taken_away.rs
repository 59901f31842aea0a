// expect: unused `Registration` that must be used
// A cell that registers a handler for an interrupt says how long the handler stays.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

fn handle(_registers: &mut interrupts::SavedRegisters) {}

pub fn start(vector: u8) -> Result<(), interrupts::RegisterError> {
    interrupts::register(vector, handle)?; //~ wrong
    interrupts::register(vector, handle)?.keep(); //~ right
    Ok(())
}
