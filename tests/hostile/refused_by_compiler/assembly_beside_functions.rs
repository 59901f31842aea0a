// expect: usage of `core::arch::global_asm`
// Assembly outside functions needs no unsafe block, and could be any code.

#![no_std]
#![forbid(unsafe_code)]

core::arch::global_asm!("hostile:", "cli", "ret"); //~ wrong

pub const WORDS: &str = "cli"; //~ right
