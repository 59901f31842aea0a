//! `target/report/cells.json`: what each cell of the product holds and how far it can be trusted.
//! `target/report/alternates.json`: which cells each alternate changes, and why.

use std::collections::BTreeMap;
use std::path::PathBuf;

use object::{SectionKind, SymbolKind};
use serde::Serialize;

use crate::{
    Build, BuildError, Tree,
    alternates::{
        Built,
        reasons::{Reason, reasons},
    },
    cells::Cell,
    files,
};

/// One cell in the report.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    group: &'a str,
    text: usize,
    rodata: usize,
    data: usize,
    bss: usize,
    digest: String,
    /// The digests that the cell has in the alternate builds that change it, by the build's name.
    alternates: BTreeMap<&'a str, String>,
    forbids_unsafe: bool,
    unsafe_blocks: u32,
    deps: &'a [String],
    /// The state spill report: every static that can change, by its path.
    statics: Vec<String>,
}

/// Totals, for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Cells.
    pub cells: usize,
    /// Places with `unsafe` in the tree's own cells.
    pub own_unsafe: u32,
    /// The same in the language's own and third-party cells.
    pub foreign_unsafe: u32,
    /// Own cells that forbid it.
    pub own_safe: usize,
    /// Own cells.
    pub own: usize,
}

/// Writes the report.
///
/// # Errors
/// Objects that cannot be read, a file that cannot be written.
pub fn write(tree: &Tree, build: &Build) -> Result<(PathBuf, Totals), BuildError> {
    let mut rows = Vec::new();
    let mut totals = Totals::default();
    for (cell, entry) in build.cells.iter().zip(&build.manifest.cells).filter(|(cell, _)| !cell.only_tests) {
        let own = !matches!(cell.group.as_str(), "rust" | "packages");
        totals.cells += 1;
        totals.own += usize::from(own);
        totals.own_safe += usize::from(own && entry.forbids_unsafe);
        *(if own { &mut totals.own_unsafe } else { &mut totals.foreign_unsafe }) += entry.unsafe_blocks;
        rows.push(row(cell, entry, &build.manifest.alternates)?);
    }
    Ok((write_file(tree, "cells.json", &rows)?, totals))
}

fn write_file(tree: &Tree, name: &str, rows: &impl Serialize) -> Result<PathBuf, BuildError> {
    let path = tree.root.join("target/report").join(name);
    let text = serde_json::to_string_pretty(rows).map_err(BuildError::Messages)?;
    files::write(&path, text + "\n")?;
    Ok(path)
}

/// The swap set of one alternate.
#[derive(Debug, Serialize)]
struct SwapSet<'a> {
    name: &'a str,
    description: &'a str,
    refused: bool,
    edited: &'a [String],
    cells: Vec<Changed<'a>>,
}

/// One cell of a swap set.
#[derive(Debug, Serialize)]
struct Changed<'a> {
    cell: &'a str,
    reasons: Vec<Reason>,
}

/// How many cells of a swap set a line tells the reason of; the report has all.
const MAX_REASONS: usize = 3;

impl<'a> SwapSet<'a> {
    fn of(built: &'a Built, base: &'a [Cell]) -> Result<Self, BuildError> {
        let mut cells = Vec::new();
        for (number, cell) in built.changed(base) {
            cells.push(Changed { cell: cell.name(), reasons: reasons(&base[number], cell, &built.edited)? });
        }
        let alternate = &built.alternate;
        let (name, description) = (&*alternate.name, &*alternate.description);
        Ok(Self { name, description, refused: alternate.refused, edited: &built.edited, cells })
    }

    /// Which cells, and why those that are not the edited ones.
    fn text(&self) -> String {
        let (edited, others): (Vec<_>, Vec<_>) =
            self.cells.iter().partition(|changed| self.edited.iter().any(|name| name == changed.cell));
        let names: Vec<&str> = edited.iter().map(|changed| changed.cell).collect();
        let mut text = format!("{} swaps {}", self.name, names.join(", "));
        for Changed { cell, reasons } in others.iter().take(MAX_REASONS) {
            let reason = reasons.first().map_or_else(|| "the order of its parts differs".to_owned(), Reason::text);
            text += &format!("; {cell}, because {reason}");
        }
        if others.len() > MAX_REASONS {
            text += &format!("; {} more", others.len() - MAX_REASONS);
        }
        text
    }
}

/// Writes the report on alternates, and gives one line for each.
///
/// # Errors
/// Objects that cannot be read, a file that cannot be written.
pub fn write_alternates(tree: &Tree, build: &Build) -> Result<Vec<String>, BuildError> {
    let sets = build.alternates.iter().map(|built| SwapSet::of(built, &build.cells)).collect::<Result<Vec<_>, _>>()?;
    write_file(tree, "alternates.json", &sets)?;
    Ok(sets.iter().map(SwapSet::text).collect())
}

fn digest(entry: &manifest::CellEntry) -> String {
    files::hex(&entry.object.digest)
}

fn row<'a>(
    cell: &'a Cell,
    entry: &'a manifest::CellEntry,
    alternates: &'a [manifest::Alternate],
) -> Result<Row<'a>, BuildError> {
    let object = cell.object()?;
    let size = |kinds: &[SectionKind]| -> usize {
        object.sections.iter().filter(|section| kinds.contains(&section.kind)).map(|section| section.size).sum()
    };
    let changes = |kind: SectionKind| {
        use SectionKind::{Data, ThreadData, ThreadZero, Zero};
        matches!(kind, Data | Zero | ThreadData | ThreadZero)
    };
    let mut statics: Vec<String> = object
        .symbols
        .iter()
        .filter(|symbol| matches!(symbol.kind, SymbolKind::Data | SymbolKind::Thread) && symbol.size > 0)
        .filter(|symbol| symbol.definition.is_some_and(|(section, _)| changes(object.sections[section].kind)))
        .map(|symbol| format!("{:#}", rustc_demangle::demangle(symbol.name)))
        .collect();
    statics.sort();
    statics.dedup();
    Ok(Row {
        name: &entry.name,
        group: &entry.group,
        text: size(&[SectionKind::Text, SectionKind::Boot]),
        rodata: size(&[SectionKind::Constants, SectionKind::Frames]),
        data: size(&[SectionKind::Data, SectionKind::ThreadData]),
        bss: size(&[SectionKind::Zero, SectionKind::ThreadZero]),
        digest: digest(entry),
        alternates: alternates
            .iter()
            .filter_map(|alternate| {
                let altered = alternate.cells.iter().find(|other| other.name == entry.name)?;
                Some((alternate.name.as_str(), digest(altered)))
            })
            .collect(),
        forbids_unsafe: entry.forbids_unsafe,
        unsafe_blocks: entry.unsafe_blocks,
        deps: &entry.dependencies,
        statics,
    })
}
