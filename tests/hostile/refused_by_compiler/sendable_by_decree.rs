// expect: implementation of an `unsafe` trait
// A type with a raw pointer is declared fit to be shared.

#![no_std]
#![forbid(unsafe_code)]

pub struct Shared(pub *mut u64);

unsafe impl Sync for Shared {} //~ wrong
impl Clone for Shared { fn clone(&self) -> Self { Self(self.0) } } //~ right
