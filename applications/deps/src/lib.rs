//! `deps CELL` shows the cells that a cell uses and the cells that use it, with the number of references.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::fmt;

struct NotLoaded<N>(N);

impl<N: fmt::Display> fmt::Display for NotLoaded<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: no such cell is loaded", self.0)
    }
}

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [name] = &*environment.arguments() else { return Err(manual::DEPS.usage.into()) };
    application::name(name)?;
    let detail = cell_index::cell(name).ok_or_else(|| Failure::refused(NotLoaded(name.clone())))?;
    for (cell, references) in detail.uses {
        writeln!(environment, "{name} -> {cell} {references}")?;
    }
    for (cell, references) in detail.users {
        writeln!(environment, "{name} <- {cell} {references}")?;
    }
    Ok(())
}
