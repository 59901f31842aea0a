// expect: use of inline assembly is unsafe and requires unsafe
// Assembly turns interrupts off.

#![no_std]
#![forbid(unsafe_code)]

pub fn run() {
    core::arch::asm!("cli"); //~ wrong
    core::hint::spin_loop(); //~ right
}
