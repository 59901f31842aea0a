//! `ps` lists the tasks; `ps check [NAME]` checks how tasks, locks and channels work in the running system.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use task_checks::CHECKS;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    match &*environment.arguments() {
        [] => list(environment),
        [word] if word == "check" => self_check::conduct(environment, CHECKS, None),
        [word, name] if word == "check" => self_check::conduct(environment, CHECKS, Some(name)),
        _ => Err(manual::PS.usage.into()),
    }
}

fn list(environment: &mut Environment) -> Result<(), Failure> {
    writeln!(
        environment,
        "{:>6} {:>3} {:>8} {:<8} {:>8} {:>8}  name",
        "task", "cpu", "priority", "state", "ticks", "switches"
    )?;
    for task in task::all() {
        writeln!(
            environment,
            "{:>6} {:>3} {:>8} {:<8} {:>8} {:>8}  {}",
            task.id().number(),
            task.cpu().number(),
            task.priority(),
            task.state(),
            task.ticks(),
            task.switches(),
            task.name(),
        )?;
    }
    Ok(())
}
