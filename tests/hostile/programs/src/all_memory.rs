//! Takes memory in ever smaller pieces until there is none.
//!
//! Ends: out of memory. The task is unwound, and all that it took is free again.

use alloc::vec::Vec;

use application::{Environment, Failure};

/// The first piece. Each size is taken until it is refused, then half of it.
const FIRST: usize = 16 << 20;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut size = FIRST;
    while size >= 64 {
        let mut piece = Vec::new();
        match piece.try_reserve_exact(size) {
            Ok(()) => all.push(piece),
            Err(_) => size /= 2,
        }
    }
    // No piece is left: this one ends the task.
    all.push(Vec::with_capacity(FIRST));
    crate::harmless(environment, format_args!("{} pieces", all.len()))
}
