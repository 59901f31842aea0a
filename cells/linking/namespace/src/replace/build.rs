//! Loading new cells beside the old ones.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use hashbrown::{HashMap, HashSet};
use layout::{Layout, Segment};
use linker::{CellId, Function, Global, Index, Names, Stubs};
use object::SectionKind;

use super::{HandOver, Prepared, ReplaceError, examine::Work, prepared::Pair};
use crate::{
    LoadError,
    cell::{Cell, Description},
    load::{Candidate, ThreadImage, duplicate, input, register_frames},
    segments::Drafts,
    state::State,
    stubs::Stage,
};

/// The namespace as it will be: without the old cells.
struct After<'a> {
    own: &'a Index,
    loaded: &'a Index,
    gone: &'a HashSet<CellId>,
}

impl Names for After<'_> {
    fn find(&self, name: &str) -> Option<&Global> {
        match self.own.get(name) {
            Some(global) if !global.weak => Some(global),
            weak => self.loaded.get(name).filter(|global| !self.gone.contains(&global.cell)).or(weak),
        }
    }
}

/// Gives functions of new cells the stubs of those that they replace.
struct Inherited<'a> {
    stage: Stage<'a>,
    known: HashMap<Function, u64>,
}

impl Stubs for Inherited<'_> {
    fn stub(&mut self, function: Function, entry: u64) -> Option<u64> {
        self.known.get(&function).copied().or_else(|| self.stage.stub(function, entry))
    }
}

/// Loads the new cells beside the old ones.
pub(super) fn build_new(
    state: &mut State,
    candidates: &[Candidate],
    works: &[Work<'_>],
) -> Result<Prepared, ReplaceError> {
    let gone: HashSet<CellId> = works.iter().map(|work| work.old).collect();
    let mut own = Index::new();
    let mut drafts: Vec<(Box<Cell>, Drafts)> = Vec::with_capacity(works.len());
    for (candidate, work) in candidates.iter().zip(works) {
        let draft = draft(state, candidate, work)?;
        linker::exports(&input(&draft.0, &work.new_object), &mut own)
            .map_err(|error| duplicate(error, &draft.0, drafts.iter().map(|(cell, _)| &**cell)))?;
        drafts.push(draft);
    }
    let (stubs, known) = inherited_stubs(state, works, &drafts);
    let hand_overs = hand_overs(state, works, &drafts, &own)?;
    let State { stubs: table, index, .. } = state;
    let mut inherited = Inherited { stage: table.stage(), known };
    let names = After { own: &own, loaded: index, gone: &gone };
    let mut pairs = Vec::with_capacity(works.len());
    for ((mut cell, mut memory), work) in drafts.into_iter().zip(works) {
        let placements = cell.layout.placements.clone();
        let mut image = ThreadImage::new(&work.new_object, &cell.layout);
        let mut write = |section: usize, offset: usize, bytes: &[u8]| {
            let placement = placements[section];
            match placement.segment {
                Segment::Thread => image.write(placement.offset + offset, bytes),
                segment => memory.write(segment, placement.offset + offset, bytes),
            }
        };
        cell.references = linker::link(&input(&cell, &work.new_object), &names, &mut inherited, &mut write)
            .map_err(|error| LoadError::Link { cell: cell.entry.name.clone(), error })?;
        cell.segments = memory.finish().map_err(|error| LoadError::Memory { cell: cell.entry.name.clone(), error })?;
        register_frames(&mut cell)?;
        pairs.push(Pair { old: work.old, new: cell });
    }
    inherited.stage.commit().map_err(LoadError::Stubs)?;
    Ok(Prepared::new(pairs, own, stubs, hand_overs))
}

fn draft(state: &mut State, candidate: &Candidate, work: &Work<'_>) -> Result<(Box<Cell>, Drafts), ReplaceError> {
    let id = state.take_id();
    let old = &state.cells[work.old];
    let address = |section: usize| {
        let placement = old.layout.placements[section];
        usize::try_from(old.bases.address(placement.segment, placement.offset)).ok()
    };
    let layout = Layout::with_fixed(&work.new_object, |section| {
        work.comparison.kept_statics.get(&section).and_then(|&section| address(section))
    });
    if layout.extent(Segment::Boot).size > 0 {
        return Err(LoadError::Boot { cell: candidate.entry.name.clone() }.into());
    }
    let (mut memory, mut bases) =
        Drafts::allocate(&layout).map_err(|error| LoadError::Memory { cell: candidate.entry.name.clone(), error })?;
    bases.thread = old.bases.thread;
    for (section, placement) in work.new_object.sections.iter().zip(&layout.placements) {
        memory.write(placement.segment, placement.offset, section.bytes);
    }
    let description = Description::new(&work.new_object, &layout, &candidate.file);
    let (entry, file) = (Arc::clone(&candidate.entry), Arc::clone(&candidate.file));
    Ok((Box::new(Cell::new(id, entry, file, layout, bases, description)), memory))
}

/// Stubs of old functions that have a counterpart: what they will lead to, and their addresses by the new function.
#[expect(clippy::type_complexity, reason = "two lists that are made together and go different ways")]
fn inherited_stubs(
    state: &State,
    works: &[Work<'_>],
    drafts: &[(Box<Cell>, Drafts)],
) -> (Vec<(Function, Function, u64)>, HashMap<Function, u64>) {
    let (mut changes, mut known) = (Vec::new(), HashMap::new());
    for (work, (new, _)) in works.iter().zip(drafts) {
        for (old, address) in state.stubs.of_cell(work.old) {
            let Some(&section) = work.comparison.counterpart.get(&(old.section as usize)) else { continue };
            if work.new_object.sections[section].kind != SectionKind::Text || old.offset != 0 {
                continue;
            }
            let Ok(number) = u32::try_from(section) else { continue };
            let function = Function { cell: new.id, section: number, offset: 0 };
            let entry = input(new, &work.new_object).address(section, 0);
            changes.push((old, function, entry));
            known.insert(function, address);
        }
    }
    (changes, known)
}

/// The functions that hand state over, where both versions have them.
fn hand_overs(
    state: &State,
    works: &[Work<'_>],
    drafts: &[(Box<Cell>, Drafts)],
    own: &Index,
) -> Result<Vec<(String, HandOver)>, ReplaceError> {
    let mut found = Vec::new();
    for (work, (new, _)) in works.iter().zip(drafts) {
        let old = &state.cells[work.old];
        let (Some((surrender, give_back)), Some((_, adopt))) = (&old.entry.hand_over, &new.entry.hand_over) else {
            continue;
        };
        let address = |index: &Index, name: &String| {
            let missing = || ReplaceError::from(LoadError::Unknown { cell: name.clone() });
            index.get(name).map(|global| global.address.get()).ok_or_else(missing)
        };
        let hand_over = HandOver {
            surrender: address(&state.index, surrender)?,
            give_back: address(&state.index, give_back)?,
            adopt: address(own, adopt)?,
        };
        found.push((old.entry.name.clone(), hand_over));
    }
    Ok(found)
}
