//! A cell that checks interrupt, replace and map anew.
//!
//! It forbids `unsafe`: only in such code is a task ended between two instructions. No other cell needs it, so a check may
//! do to it anything that a swap or a fault does to a cell. Nothing here fails.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod computation;

pub use computation::{OWNED, compute, compute_with, resize};

/// Calls `over` until it returns true. Until then the caller's stack holds a frame of this cell.
#[inline(never)]
pub fn stay(over: &mut dyn FnMut() -> bool) {
    while !over() {}
}
