//! Calls itself for ever.
//!
//! Ends: overflow. The guard of the stack stops it, and the reserve below the stack is enough to unwind it.

use core::hint::black_box;

use application::{Environment, Failure};

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let depth = descend(0);
    crate::harmless(environment, format_args!("{depth} calls"))
}

#[inline(never)]
fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if black_box(false) { 0 } else { descend(depth + 1) + frame[3] }
}
