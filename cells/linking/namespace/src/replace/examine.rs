//! Whether the new cells may take the places of the old ones, and where no stack may be when they do.

use alloc::{string::ToString, sync::Arc, vec::Vec};

use comparison::{Comparison, Version, compare};
use hashbrown::HashSet;
use linker::{CellId, Function};
use manifest::{CellDetails, CellEntry};
use object::{Object, SectionKind};

use super::{ReplaceError, Unstable};
use crate::{
    LoadError,
    cell::Cell,
    load::{Candidate, parse},
    state::State,
};

/// Both versions of one cell.
pub(super) struct Work<'a> {
    pub(super) old: CellId,
    pub(super) old_object: Object<'a>,
    pub(super) new_object: Object<'a>,
    pub(super) comparison: Comparison,
}

/// Compares both versions of every cell. `old_files` are the objects of the old ones, in the order of `candidates`.
pub(super) fn examine_all<'a>(
    state: &State,
    candidates: &'a [Candidate],
    old_files: &'a [Arc<[u8]>],
) -> Result<Vec<Work<'a>>, ReplaceError> {
    let both = candidates.iter().zip(old_files);
    let mut works = both.map(|(candidate, file)| examine(state, candidate, file)).collect::<Result<Vec<_>, _>>()?;
    exclude_lost_statics(state, &mut works);
    Ok(works)
}

/// The text that no stack may be in: of the cells that are replaced, and of their predecessors that are still in use.
pub(super) fn unstable(
    state: &State,
    candidates: &[Candidate],
    works: &[Work<'_>],
) -> Result<Vec<Unstable>, ReplaceError> {
    let mut unstable = unstable_text(state, works);
    unstable.extend(unstable_zombies(state, candidates)?);
    Ok(unstable)
}

fn details(state: &State, entry: &CellEntry) -> Result<CellDetails, LoadError> {
    state.archive.details(entry).map_err(LoadError::Archive)
}

fn examine<'a>(state: &State, candidate: &'a Candidate, old_file: &'a [u8]) -> Result<Work<'a>, ReplaceError> {
    let name = &candidate.entry.name;
    let missing = || ReplaceError::from(LoadError::Unknown { cell: name.clone() });
    let old = state.named(name).ok_or_else(missing)?;
    let malformed = |error| ReplaceError::from(LoadError::Object { cell: name.clone(), error });
    let old_object = Object::parse(old_file).map_err(malformed)?;
    let new_object = parse(candidate)?;
    let (old_details, new_details) = (details(state, &old.entry)?, details(state, &candidate.entry)?);
    // The functions have the same names in both versions, or the new one does not hand over.
    let hand_over =
        old.entry.hand_over.as_ref().filter(|functions| candidate.entry.hand_over.as_ref() == Some(functions));
    let called = |symbol: &str| {
        let global = state.index.get(symbol).filter(|global| global.cell == old.id);
        global.is_some_and(|global| {
            let function = Function { cell: old.id, section: global.section, offset: global.offset };
            let refers = |user: &Cell| {
                user.references.iter().any(|reference| (reference.cell, reference.symbol) == (old.id, global.symbol))
            };
            state.stubs.get(function).is_some() || state.cells.values().any(refers)
        })
    };
    let comparison = compare(
        &Version { name, object: &old_object, details: &old_details },
        &Version { name, object: &new_object, details: &new_details },
        hand_over,
        &called,
    )
    .map_err(|held| ReplaceError::Refused { cell: name.clone(), held })?;
    Ok(Work { old: old.id, old_object, new_object, comparison })
}

/// Text that names a static of another cell of the swap set which does not stay is not stable either.
fn exclude_lost_statics(state: &State, works: &mut [Work<'_>]) {
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
    for work in works {
        let object = &work.old_object;
        work.comparison.stable.retain(|&number| {
            !object.relocations(number).iter().any(|place| {
                let symbol = &object.symbols[place.symbol];
                let global = state.index.get(symbol.name).filter(|_| symbol.definition.is_none());
                global.is_some_and(|global| lost.contains(&(global.cell, global.section)))
            })
        });
    }
}

/// Text of earlier versions of the new cells, left by earlier swaps, that is not the same in the new ones.
fn unstable_zombies(state: &State, candidates: &[Candidate]) -> Result<Vec<Unstable>, ReplaceError> {
    let mut found = Vec::new();
    for zombie in state.zombies.values() {
        let Some(candidate) = candidates.iter().find(|candidate| candidate.entry.name == zombie.entry.name) else {
            continue;
        };
        let old_object =
            zombie.object().map_err(|error| LoadError::Object { cell: zombie.entry.name.clone(), error })?;
        let new_object = parse(candidate)?;
        let (before, after) = (details(state, &zombie.entry)?, details(state, &candidate.entry)?);
        let digest = |details: &CellDetails, number: usize| {
            let of_section = |section: &&manifest::SectionDigest| section.section as usize == number;
            details.sections.iter().find(of_section).map(|section| section.digest)
        };
        for (number, section) in old_object.sections.iter().enumerate() {
            if section.kind != SectionKind::Text {
                continue;
            }
            let other = new_object.sections.iter().position(|other| other.name == section.name);
            if other.is_some_and(|other| digest(&before, number) == digest(&after, other)) {
                continue;
            }
            found.push(unstable_section(zombie, number, section));
        }
    }
    Ok(found)
}

fn unstable_section(cell: &Cell, number: usize, section: &object::Section<'_>) -> Unstable {
    let placement = cell.layout.placements[number];
    let start = cell.bases.address(placement.segment, placement.offset);
    Unstable {
        range: start..start + section.size as u64,
        cell: cell.entry.name.clone(),
        section: section.name.to_string(),
    }
}

fn unstable_text(state: &State, works: &[Work<'_>]) -> Vec<Unstable> {
    let mut unstable = Vec::new();
    for work in works {
        let old = &state.cells[work.old];
        for (number, section) in work.old_object.sections.iter().enumerate() {
            if section.kind != SectionKind::Text || work.comparison.stable.contains(&number) {
                continue;
            }
            unstable.push(unstable_section(old, number, section));
        }
    }
    unstable
}
