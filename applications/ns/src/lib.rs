//! `ns [WORD]` tells the size of the namespace, or lists the symbols that have a word in their names.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use application::{Environment, ExitCode, Failure};
use core::fmt;
use rustc_demangle::demangle;

/// More than a reader goes through; a longer word finds fewer.
const MAX_SYMBOLS: usize = 50;

/// A word that is in no name.
struct NoSymbol(String);

impl fmt::Display for NoSymbol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no symbol has '{}' in its name", self.0)
    }
}

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    match &*environment.arguments() {
        [] => summary(environment),
        [word] => symbols(environment, word),
        _ => Err(manual::NS.usage.into()),
    }
}

fn summary(environment: &mut Environment) -> Result<(), Failure> {
    let (stubs, names) = cell_index::sizes();
    writeln!(environment, "{} cells, {names} names, {stubs} permanent stubs", cell_index::cells().len())?;
    write!(environment, "applications:")?;
    for name in cell_index::applications() {
        write!(environment, " {name}")?;
    }
    writeln!(environment)?;
    Ok(())
}

fn symbols(environment: &mut Environment, word: &str) -> Result<(), Failure> {
    let found = cell_index::symbols(word, MAX_SYMBOLS + 1);
    if found.is_empty() {
        return Err(Failure::refused(NoSymbol(String::from(word))));
    }
    for symbol in found.iter().take(MAX_SYMBOLS) {
        writeln!(environment, "{:#018x} {:<24} {:#}", symbol.address, symbol.cell, demangle(&symbol.name))?;
    }
    if found.len() > MAX_SYMBOLS {
        writeln!(environment, "... and more")?;
    }
    Ok(())
}
