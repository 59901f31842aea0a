//! The callee of the null-call benchmark: a function in a cell of its own that does nothing.
//!
//! To `bench`: a call of [`null`] crosses a cell border and costs nothing else.
#![no_std]
#![forbid(unsafe_code)]

/// Does nothing, and is not inlined, so that it must be called.
#[inline(never)]
pub fn null() {}
