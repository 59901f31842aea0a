// expect: mismatched types
// The caller of a hook and the function agree on the arguments.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use hook::HookCap;

pub fn hooked(address: u64) -> usize {
    address as usize
}

pub fn set(right: HookCap) {
    frames::SPARE_FRAMES.set(right, hooked); //~ wrong
    frames::SPARE_FRAMES.set(right, || hooked(0)); //~ right
}
