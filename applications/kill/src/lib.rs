//! `kill TASK` ends a task, by its number or name.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use task_control::KillRefused;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [word] = &*environment.arguments() else { return Err(manual::KILL.usage.into()) };
    let task = task::named(word).map_err(Failure::refused)?;
    let capability = task_control::kill_capability(task.id()).map_err(Failure::refused)?;
    if capability.kill() { Ok(()) } else { Err(Failure::refused(KillRefused::NoTask(task.id()))) }
}
