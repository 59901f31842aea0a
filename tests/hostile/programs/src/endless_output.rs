//! Writes lines for ever.
//!
//! Ends: killed. The queue of the terminal is bounded, so the writer waits, and others get their turn.

use application::{Environment, Failure};

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    loop {
        writeln!(environment, "hostile line")?;
    }
}
