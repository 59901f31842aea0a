//! `ps` lists the tasks.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    if environment.arguments().is_empty() { list(environment) } else { Err(manual::PS.usage.into()) }
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
