//! Drops the right to join a task.
//!
//! Ends: panics. The task that was let go in this way goes on, and is disposed of at its end.

use core::time::Duration;

use application::{Environment, Failure};

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let task = task::spawn("hostile_late", || task::sleep(Duration::from_millis(100))).map_err(Failure::refused)?;
    drop(task);
    crate::harmless(environment, "it was dropped")
}
