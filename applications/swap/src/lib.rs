//! `swap` shows which build the system is and which there are; `swap BUILD` changes to another one.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::time::Duration;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    match &*environment.arguments() {
        [] => list(environment),
        [build] => swap(environment, build),
        _ => Err(manual::SWAP.usage.into()),
    }
}

fn list(environment: &mut Environment) -> Result<(), Failure> {
    let current = evolution::current();
    let mark = |name: &str| if name == current { "*" } else { " " };
    writeln!(environment, "{} {:<12} as booted", mark(evolution::BASE), evolution::BASE)?;
    for (name, description, cells) in evolution::alternates() {
        writeln!(environment, "{} {name:<12} {description} ({})", mark(&name), cells.join(", "))?;
    }
    zombies(environment, &evolution::zombies())
}

fn zombies(environment: &mut Environment, zombies: &[evolution::Zombie]) -> Result<(), Failure> {
    for zombie in zombies {
        writeln!(environment, "zombie: {}, {} bytes, referred to at {:#x}", zombie.cell, zombie.bytes, zombie.holder)?;
    }
    Ok(())
}

fn swap(environment: &mut Environment, build: &str) -> Result<(), Failure> {
    let report = evolution::swap(build).map_err(Failure::refused)?;
    let micros = |time: Duration| time.as_micros();
    writeln!(environment, "swapped to {}: {}", report.build, report.swap_set.join(", "))?;
    writeln!(
        environment,
        "prepare {} us, quiesce {} us, commit {} us, reclaim {} us; {} stops, {} pages patched, {} zombies",
        micros(report.prepare),
        micros(report.quiesce),
        micros(report.commit),
        micros(report.reclaim),
        report.attempts,
        report.patched_pages,
        report.zombies.len()
    )?;
    zombies(environment, &report.zombies)
}
