//! `cells [NAME]` lists the cells, or tells all about one.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;

use application::{Environment, ExitCode, Failure};
use cell_index::{CellDetail, CellInfo, Role};
use core::fmt;
use rustc_demangle::demangle;

/// The sections of a cell that are shown, largest first: a cell has hundreds.
const SECTIONS: usize = 20;

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
    match &*environment.arguments() {
        [] => table(environment),
        [name] => {
            let name = application::name(name)?;
            let detail = cell_index::cell(name).ok_or_else(|| Failure::refused(NotLoaded(String::from(name))))?;
            one(environment, detail)
        }
        _ => Err(manual::CELLS.usage.into()),
    }
}

fn role(cell: &CellInfo) -> &'static str {
    match cell.role {
        Role::Seed => "adopted",
        Role::Kernel => "loaded",
        Role::Application => "application",
    }
}

fn table(environment: &mut Environment) -> Result<(), Failure> {
    let cells = cell_index::cells();
    writeln!(
        environment,
        "{:<24} {:<10} {:<11} {:>8} {:>8} {:>8} {:>5} {:>5} unsafe",
        "cell", "group", "came", "text", "consts", "data", "uses", "users"
    )?;
    for cell in &cells {
        write!(
            environment,
            "{:<24} {:<10} {:<11} {:>8} {:>8} {:>8} {:>5} {:>5} ",
            cell.name,
            cell.group,
            role(cell),
            cell.text,
            cell.constants,
            cell.data,
            cell.uses,
            cell.users
        )?;
        if cell.forbids_unsafe {
            writeln!(environment, "forbidden")?;
        } else {
            writeln!(environment, "{}", cell.unsafe_blocks)?;
        }
    }
    let bytes: usize = cells.iter().map(|cell| cell.text + cell.constants + cell.data).sum();
    let adopted = cells.iter().filter(|cell| matches!(cell.role, Role::Seed)).count();
    writeln!(environment, "{} cells, {adopted} of them adopted, {bytes} bytes", cells.len())?;
    Ok(())
}

fn one(environment: &mut Environment, detail: CellDetail) -> Result<(), Failure> {
    let CellDetail { info, mut sections, uses, users, statics, segments } = detail;
    writeln!(environment, "{} {} ({}, {})", info.name, info.version, info.group, role(&info))?;
    write!(environment, "digest     ")?;
    for byte in info.digest {
        write!(environment, "{byte:02x}")?;
    }
    writeln!(environment)?;
    for (name, range) in ["text", "constants", "data"].iter().zip(segments) {
        writeln!(environment, "{name:<10} {:#018x} {:>8} bytes", range.start, range.end - range.start)?;
    }
    let count = sections.len();
    sections.retain(|section| section.size > 0);
    sections.sort_by_key(|section| core::cmp::Reverse(section.size));
    for section in sections.iter().take(SECTIONS) {
        // A section is called after its symbol, behind a prefix such as `.text.`.
        let symbol = section.name.rfind("._R").and_then(|dot| section.name.get(dot + 1..)).unwrap_or(&section.name);
        writeln!(environment, "  {:#018x} {:>8} {:#}", section.address, section.size, demangle(symbol))?;
    }
    if count > SECTIONS {
        writeln!(environment, "  ... {count} sections in all")?;
    }
    for (name, size) in statics {
        writeln!(environment, "static {:>8} bytes {:#}", size, demangle(&name))?;
    }
    for (name, references) in uses {
        writeln!(environment, "uses {name} ({references} references)")?;
    }
    for (name, references) in users {
        writeln!(environment, "used by {name} ({references} references)")?;
    }
    Ok(())
}
