//! Drops a list so long that the recursion of its destructor overflows the stack.
//!
//! Ends: overflow. The destructor is cut off; the part of the list that it had not reached is leaked and counted.

use alloc::boxed::Box;

use application::{Environment, Failure};

/// Deeper than a stack is.
const LENGTH: usize = 100_000;

struct Link {
    _next: Option<Box<Link>>,
}

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let mut list = None;
    for _ in 0..LENGTH {
        list = Some(Box::new(Link { _next: list }));
    }
    drop(list);
    crate::harmless(environment, "the list was dropped")
}
