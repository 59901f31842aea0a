//! Computes for ever without coming to a cancellation point.
//!
//! Ends: killed. The kill is escalated: the task is ended between two instructions of its loop.

use core::hint::black_box;

use application::{Environment, Failure};

pub(crate) fn run(_environment: &mut Environment) -> Result<(), Failure> {
    compute()
}

#[inline(never)]
fn compute() -> ! {
    let mut number = 0_u64;
    loop {
        number = black_box(number.wrapping_mul(3));
    }
}
