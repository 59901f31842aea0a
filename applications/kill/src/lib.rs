//! `kill TASK` ends a task, by its number or name.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::fmt;

/// The task is one that nobody can end, or has ended by itself.
struct Immortal;

impl fmt::Display for Immortal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("this task cannot be ended")
    }
}

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [word] = &*environment.arguments() else { return Err(manual::KILL.usage.into()) };
    let task = task_argument::find(word).map_err(Failure::refused)?;
    let killed = task_control::kill_capability(task.id()).is_some_and(|capability| capability.kill());
    if killed { Ok(()) } else { Err(Failure::refused(Immortal)) }
}
