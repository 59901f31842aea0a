//! Returns while a task of its own, which it has let go, still runs its code.
//!
//! Ends: returns. The cell is unloaded when that task has ended, and no earlier.

use core::time::Duration;

use application::{Environment, Failure};

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let stays = || {
        for _ in 0..20 {
            task::sleep(Duration::from_millis(50));
            words();
        }
    };
    task::spawn("hostile_stays", stays).map_err(Failure::refused)?.detach();
    crate::harmless(environment, "a task stays")
}

/// Uses the constants of the cell, too.
fn words() -> usize {
    core::hint::black_box("some constant of a cell that the loader believes to be idle").len()
}
