//! A cell for checks of swaps to replace: nobody is in it but who they put there.
#![no_std]
#![forbid(unsafe_code)]

/// Calls `over` until it says so. Until then the caller's stack holds a frame of this cell.
#[inline(never)]
pub fn stay(over: &mut dyn FnMut() -> bool) {
    while !over() {}
}
