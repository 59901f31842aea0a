//! `cpus` lists the processors: local APIC, interrupts handled, time spent idle, and the task that runs there now.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use cpu_view::CpuInfo;
use task::{State, TaskRef};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    if environment.arguments().is_empty() { show(environment) } else { Err(manual::CPUS.usage.into()) }
}

fn show(environment: &mut Environment) -> Result<(), Failure> {
    let tasks = task::all();
    writeln!(environment, "{:>3} {:>4} {:>10} {:>6}  runs", "cpu", "apic", "interrupts", "idle")?;
    for CpuInfo { id, apic, interrupts } in cpu_view::cpus() {
        let here = || tasks.iter().filter(|task| task.cpu() == id);
        let idle: u64 = here().filter(|task| task.is_idle()).map(TaskRef::ticks).sum();
        let all = here().map(TaskRef::ticks).sum::<u64>().max(1);
        write!(environment, "{:>3} {apic:>4} {interrupts:>10} {:>4} %  ", id.number(), 100 * idle / all)?;
        match here().find(|task| task.state() == State::Running) {
            Some(task) => writeln!(environment, "{} {}", task.id().number(), task.name())?,
            None => writeln!(environment)?,
        }
    }
    Ok(())
}
