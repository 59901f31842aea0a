//! `kill TASK` ends a task, by its number.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::fmt;
use task::TaskId;

/// No running task has the number.
struct NoSuchTask(TaskId);

impl fmt::Display for NoSuchTask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "there is no task {} that could be ended", self.0)
    }
}

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [number] = &*environment.arguments() else { return Err(manual::KILL.usage.into()) };
    let id = number.parse().ok().and_then(TaskId::new).ok_or(manual::KILL.usage)?;
    let capability = task_control::kill_capability(id).ok_or_else(|| Failure::refused(NoSuchTask(id)))?;
    if capability.kill() { Ok(()) } else { Err(Failure::refused(NoSuchTask(id))) }
}
