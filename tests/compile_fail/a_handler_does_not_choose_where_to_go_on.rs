// expect: call to unsafe function
// A handler reads the registers of the code that it interrupted. Where that code goes on is not for safe code to say.

#![no_std]
#![forbid(unsafe_code)]

use interrupts::Interrupted;

pub fn handle(interrupted: &mut Interrupted<'_>) -> u64 {
    let stopped_at = interrupted.registers().rip;
    interrupted.registers_mut().rip = 0; //~ wrong
    stopped_at
}
