//! Makes tasks until there can be no more, and keeps all of them.
//!
//! Ends: returns. The next one is refused with an error; all places and stacks are free again afterwards.

use alloc::vec::Vec;
use core::time::Duration;

use application::{Environment, Failure};

/// More than the table of tasks holds.
const TASKS: usize = 5000;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    // Room for all of them now: when there is no memory for a stack there is none for this.
    let mut tasks = Vec::with_capacity(TASKS);
    let refusal = loop {
        match task::spawn("hostile_one_of_many", || task::sleep(Duration::from_secs(600))) {
            Ok(task) if tasks.len() < TASKS => tasks.push(task),
            Ok(task) => break Err(task),
            Err(error) => break Ok(error),
        }
    };
    let made = tasks.len();
    for task in &tasks {
        task.kill_capability().kill();
    }
    for task in tasks {
        // It was ended, as it was told.
        let _ended = task.join();
    }
    match refusal {
        Ok(error) => crate::harmless(environment, format_args!("{made} tasks were made, then: {error}")),
        Err(task) => {
            task.detach();
            crate::expect(false, "there are more tasks than places")
        }
    }
}
