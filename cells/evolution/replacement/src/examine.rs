//! Whether the new cells may take the places of the old ones, and where no stack may be when they do.

use alloc::{string::ToString, vec::Vec};

use archive::Archive;
use comparison::{Comparison, Version, compare};
use hashbrown::HashSet;
use linker::{CellId, Function};
use manifest::{CellDetails, CellEntry};
use namespace::{
    LoadError,
    parts::{Candidate, Cell, State, Transaction},
};
use object::{Object, SectionKind};

use crate::{
    change::{Unstable, Versions},
    error::ReplaceError,
};

/// Both versions of one cell.
pub(crate) struct Work<'a> {
    pub(crate) old: CellId,
    pub(crate) before: &'a Candidate,
    pub(crate) after: &'a Candidate,
    pub(crate) old_object: Object<'a>,
    pub(crate) new_object: Object<'a>,
    pub(crate) comparison: Comparison,
}

/// Compares both versions of every cell.
pub(crate) fn examine_all<'a>(
    transaction: &Transaction,
    archive: &Archive<&'static [u8]>,
    versions: &'a [Versions],
) -> Result<Vec<Work<'a>>, ReplaceError> {
    let mut works =
        versions.iter().map(|versions| examine(transaction, archive, versions)).collect::<Result<Vec<_>, _>>()?;
    exclude_lost_statics(transaction, &mut works);
    Ok(works)
}

/// The text that no stack may be in: of the cells that are replaced, and of their predecessors that are still in use.
pub(crate) fn unstable(
    transaction: &Transaction,
    archive: &Archive<&'static [u8]>,
    works: &[Work<'_>],
) -> Result<Vec<Unstable>, ReplaceError> {
    let mut unstable = unstable_text(transaction, works);
    unstable.extend(unstable_retired_cells(transaction, archive, works)?);
    Ok(unstable)
}

fn details(archive: &Archive<&'static [u8]>, entry: &CellEntry) -> Result<CellDetails, LoadError> {
    archive.details(entry).map_err(LoadError::Archive)
}

fn examine<'a>(
    transaction: &Transaction,
    archive: &Archive<&'static [u8]>,
    versions: &'a Versions,
) -> Result<Work<'a>, ReplaceError> {
    let Versions { old, before, after } = versions;
    let name = &after.entry.name;
    let (old_object, new_object) = (before.object()?, after.object()?);
    let (old_details, new_details) = (details(archive, &before.entry)?, details(archive, &after.entry)?);
    // The functions have the same names in both versions, or the new one does not hand over.
    let state_transfer =
        before.entry.state_transfer.as_ref().filter(|functions| after.entry.state_transfer.as_ref() == Some(functions));
    let comparison = compare(
        &Version { name, object: &old_object, details: &old_details },
        &Version { name, object: &new_object, details: &new_details },
        state_transfer,
        &|symbol| transaction.step(|state| is_called(state, *old, symbol)),
    )
    .map_err(|incompatibility| ReplaceError::Refused { cell: name.clone(), incompatibility })?;
    Ok(Work { old: *old, before, after, old_object, new_object, comparison })
}

/// Whether another cell calls `symbol` of the cell `old`, or has its address.
fn is_called(state: &State, old: CellId, symbol: &str) -> bool {
    let Some(global) = state.index.get(symbol).filter(|global| global.cell == old) else { return false };
    let function = Function { cell: old, section: global.section, offset: global.offset };
    let refers = |user: &Cell| {
        user.references.iter().any(|reference| (reference.cell, reference.symbol) == (old, global.symbol))
    };
    state.stubs.get(function).is_some() || state.cells.values().any(refers)
}

/// Text that names a static of another cell of the swap set which does not stay is not stable either.
fn exclude_lost_statics(transaction: &Transaction, works: &mut [Work<'_>]) {
    let mut lost: HashSet<(CellId, u32)> = HashSet::new();
    for work in works.iter() {
        let kept: HashSet<usize> = work.comparison.kept_statics.values().copied().collect();
        for (number, section) in work.old_object.sections.iter().enumerate() {
            let is_static = matches!(section.kind, SectionKind::Data | SectionKind::Zero);
            if let (true, Ok(place)) = (is_static && !kept.contains(&number), u32::try_from(number)) {
                lost.insert((work.old, place));
            }
        }
    }
    if lost.is_empty() {
        return;
    }
    for work in works {
        let object = &work.old_object;
        let names_lost = |state: &State, number: usize| {
            object.relocations(number).iter().any(|place| {
                let symbol = &object.symbols[place.symbol];
                let global = state.index.get(symbol.name).filter(|_| symbol.definition.is_none());
                global.is_some_and(|global| lost.contains(&(global.cell, global.section)))
            })
        };
        work.comparison.stable.retain(|&number| transaction.step(|state| !names_lost(state, number)));
    }
}

/// Text of earlier versions of the new cells, left by earlier swaps, that is not the same in the new ones.
fn unstable_retired_cells(
    transaction: &Transaction,
    archive: &Archive<&'static [u8]>,
    works: &[Work<'_>],
) -> Result<Vec<Unstable>, ReplaceError> {
    let all =
        |state: &mut State| state.retired_cells.values().map(|cell| (cell.id, Candidate::of(cell))).collect::<Vec<_>>();
    let mut found = Vec::new();
    for (id, retired_cell) in transaction.step(all) {
        let Some(work) = works.iter().find(|work| work.after.entry.name == retired_cell.entry.name) else { continue };
        let (before, after) = (details(archive, &retired_cell.entry)?, details(archive, &work.after.entry)?);
        let digest = |details: &CellDetails, number: usize| {
            let of_section = |section: &&manifest::SectionDigest| section.section as usize == number;
            details.sections.iter().find(of_section).map(|section| section.digest)
        };
        let old_object = retired_cell.object()?;
        let is_stable = |number: usize, section: &object::Section<'_>| {
            let other = work.new_object.sections.iter().position(|other| other.name == section.name);
            other.is_some_and(|other| digest(&before, number) == digest(&after, other))
        };
        let unstable = text(&old_object).filter(|&(number, section)| !is_stable(number, section)).collect::<Vec<_>>();
        transaction.step(|state| {
            found.extend(state.retired_cells.get(id).into_iter().flat_map(|cell| places(cell, &unstable)))
        });
    }
    Ok(found)
}

fn unstable_text(transaction: &Transaction, works: &[Work<'_>]) -> Vec<Unstable> {
    let mut found = Vec::new();
    for work in works {
        let is_stable = |number: usize| work.comparison.stable.contains(&number);
        let unstable = text(&work.old_object).filter(|&(number, _)| !is_stable(number)).collect::<Vec<_>>();
        transaction.step(|state| found.extend(places(&state.cells[work.old], &unstable)));
    }
    found
}

/// The sections of text, each with its number.
fn text<'a>(object: &'a Object<'a>) -> impl Iterator<Item = (usize, &'a object::Section<'a>)> {
    object.sections.iter().enumerate().filter(|(_, section)| section.kind == SectionKind::Text)
}

/// Where these sections of `cell` are.
fn places<'a>(cell: &'a Cell, sections: &'a [(usize, &object::Section<'_>)]) -> impl Iterator<Item = Unstable> {
    sections.iter().map(|(number, section)| {
        let placement = cell.layout.placements[*number];
        let start = cell.bases.address(placement.segment, placement.offset);
        Unstable {
            range: start..start + section.size as u64,
            cell: cell.entry.name.clone(),
            section: section.name.to_string(),
        }
    })
}
