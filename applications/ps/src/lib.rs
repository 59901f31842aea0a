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
        [word] if word == "check" => check(environment, None),
        [word, name] if word == "check" => check(environment, Some(name)),
        _ => Err(manual::PS.usage.into()),
    }
}

fn check(environment: &mut Environment, name: Option<&str>) -> Result<(), Failure> {
    let (mut passed, mut failed) = (0, 0);
    for check in CHECKS.iter().filter(|check| name.is_none_or(|name| name == check.name)) {
        match (check.run)() {
            Ok(()) => {
                passed += 1;
                writeln!(environment, "ok: {}", check.name)?;
            }
            Err(error) => {
                failed += 1;
                writeln!(environment, "FAILED: {}: {error}", check.name)?;
            }
        }
    }
    writeln!(environment, "{passed} of {} checks passed", passed + failed)?;
    if passed > 0 && failed == 0 { Ok(()) } else { Err(Failure::refused("tasks are not as they must be")) }
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
