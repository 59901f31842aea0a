//! `swap` shows which build the system is and which there are; `swap BUILD` changes to another one.
//!
//! `swap reclaim` waits, for a while, until replaced cells have been freed that were still in use, and names the holder
//! of each other one.
//!
//! A cell's name stands for the build in which that cell differs: the alternate, or if that is running the one that was
//! booted, so the same words again swap back. Builds that are there to be refused are meant by their own names only.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;
use application::{Environment, ExitCode, Failure};
use cell_index::{AlternateInfo, BASE, RetiredCell};
use core::time::Duration;
use evolution::Change;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    match &*environment.arguments() {
        [] => list(environment),
        [word] if word == "reclaim" => reclaim(environment),
        [name] => swap(environment, &build_of(application::name(name)?)),
        _ => Err(manual::SWAP.usage.into()),
    }
}

/// How long `swap reclaim` waits.
const RECLAIM_LIMIT: Duration = Duration::from_secs(20);

/// The build that a name stands for. A name that is neither a build's nor a cell's goes to the engine, which refuses it.
fn build_of(name: &str) -> String {
    let (alternates, current) = (cell_index::alternates(), cell_index::current_build());
    if alternates.iter().any(|build| build.name == name) {
        return String::from(name);
    }
    let differs = |build: &&AlternateInfo| !build.refused && build.cells.iter().any(|cell| cell == name);
    if alternates.iter().filter(differs).any(|build| build.name == current) {
        return String::from(BASE);
    }
    alternates.iter().find(differs).map_or(name, |build| &build.name).into()
}

fn list(environment: &mut Environment) -> Result<(), Failure> {
    let current = cell_index::current_build();
    let mark = |name: &str| if name == current { "*" } else { " " };
    writeln!(environment, "{} {:<12} as booted", mark(BASE), BASE)?;
    let (refused, others): (Vec<_>, Vec<_>) = cell_index::alternates().into_iter().partition(|build| build.refused);
    for AlternateInfo { name, description, cells, .. } in &others {
        writeln!(environment, "{} {name:<12} {description} ({})", mark(name), cells.join(", "))?;
    }
    if !refused.is_empty() {
        writeln!(environment, "to be refused, each for a reason of its own:")?;
    }
    for AlternateInfo { name, description, cells, .. } in &refused {
        writeln!(environment, "  {name:<12} {description} ({})", cells.join(", "))?;
    }
    let left = cell_index::retired_cells();
    writeln!(environment, "{} retired cells", left.len())?;
    retired_cells(environment, &left)
}

fn retired_cells(environment: &mut Environment, retired_cells: &[RetiredCell]) -> Result<(), Failure> {
    for retired_cell in retired_cells {
        writeln!(
            environment,
            "retired cell: {}, {} bytes, held by {}",
            retired_cell.cell, retired_cell.bytes, retired_cell.holder
        )?;
    }
    Ok(())
}

fn reclaim(environment: &mut Environment) -> Result<(), Failure> {
    let left = evolution::reclaim_within(RECLAIM_LIMIT);
    writeln!(environment, "{} retired cells", left.len())?;
    retired_cells(environment, &left)
}

fn swap(environment: &mut Environment, build: &str) -> Result<(), Failure> {
    let report = evolution::swap(build).map_err(Failure::refused)?;
    let micros = |time: Duration| time.as_micros();
    let (back, new): (Vec<_>, Vec<_>) = report.changes.iter().partition(|change| change.back);
    match (&*new, &*back) {
        // To the base, everything goes back.
        ([], changes) | (changes, []) => writeln!(environment, "swapped to {}: {}", report.build, names(changes))?,
        (new, back) => {
            writeln!(environment, "swapped to {}: {}; back to base: {}", report.build, names(new), names(back))?;
        }
    }
    writeln!(
        environment,
        "prepare {} us, quiesce {} us, commit {} us, reclaim {} us; retired cells {}, {} stops, {} pages patched",
        micros(report.prepare),
        micros(report.quiesce),
        micros(report.commit),
        micros(report.reclaim),
        report.retired_cells.len(),
        report.attempts,
        report.patched_pages
    )?;
    retired_cells(environment, &report.retired_cells)
}

/// An application gets its other object when it is started the next time.
fn names(changes: &[&Change]) -> String {
    let name = |change: &&Change| {
        let when = if change.at_next_start { " (when it starts next)" } else { "" };
        alloc::format!("{}{when}", change.cell)
    };
    changes.iter().map(name).collect::<Vec<_>>().join(", ")
}
