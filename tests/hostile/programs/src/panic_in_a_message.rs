//! Panics with a message that panics when it is written.
//!
//! Ends: panics. The log is written from a buffer, so no lock of it is held meanwhile.

use core::fmt;

use application::{Environment, Failure};

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in a message");
    }
}

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    crate::harmless(environment, "about to panic")?;
    panic!("{Panics}");
}
