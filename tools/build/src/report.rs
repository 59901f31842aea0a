//! `target/report/cells.json`: what each cell holds and how far it can be trusted.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use object::{SectionKind, SymbolKind};
use serde::Serialize;

use crate::{Build, BuildError, Tree, cells::Cell};

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
    for (cell, entry) in build.cells.iter().zip(&build.manifest.cells) {
        let own = !matches!(cell.group.as_str(), "rust" | "packages");
        totals.cells += 1;
        totals.own += usize::from(own);
        totals.own_safe += usize::from(own && entry.forbids_unsafe);
        *(if own { &mut totals.own_unsafe } else { &mut totals.foreign_unsafe }) += entry.unsafe_blocks;
        rows.push(row(cell, entry, &build.manifest.alternates)?);
    }
    let folder = tree.root.join("target/report");
    fs::create_dir_all(&folder).map_err(|source| BuildError::file(&folder, source))?;
    let path = folder.join("cells.json");
    let text = serde_json::to_string_pretty(&rows).map_err(BuildError::Messages)?;
    fs::write(&path, text + "\n").map_err(|source| BuildError::file(&path, source))?;
    Ok((path, totals))
}

fn digest(entry: &manifest::CellEntry) -> String {
    entry.object.digest.iter().map(|byte| format!("{byte:02x}")).collect()
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
