//! Lets go of a task that has a result with a destructor, and returns before the task does.
//!
//! Ends: returns. The destructor runs in the task itself, while its code is loaded.

use core::time::Duration;

use application::{Environment, Failure};

struct Noisy(u32);

impl Drop for Noisy {
    fn drop(&mut self) {
        core::hint::black_box(&self.0);
    }
}

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let late = || {
        task::sleep(Duration::from_millis(300));
        Noisy(7)
    };
    task::spawn("hostile_late", late).map_err(Failure::refused)?.detach();
    let early = task::spawn("hostile_early", || Noisy(8)).map_err(Failure::refused)?;
    task::sleep(Duration::from_millis(50));
    early.detach();
    crate::harmless(environment, "two results were let go")
}
