//! Loading new cells beside the old ones.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use hashbrown::{HashMap, HashSet};
use layout::{Layout, Segment};
use linker::{CellId, Function, Global, Index, Layered, Names, Stubs};
use manifest::CellEntry;
use object::SectionKind;

use super::{ReplaceError, StateTransfer, examine::Work, prepared::Pair};
use crate::{
    EntryPoint, LoadError,
    cell::{Cell, Description},
    load::{Candidate, ThreadImage, duplicate, input, register_frames},
    segments::Drafts,
    state::State,
    stubs::Stage,
    turn::Turn,
};

/// The namespace without the old cells.
struct Remaining<'a> {
    loaded: &'a Index,
    gone: &'a HashSet<CellId>,
}

impl Names for Remaining<'_> {
    fn find(&self, name: &str) -> Option<&Global> {
        self.loaded.get(name).filter(|global| !self.gone.contains(&global.cell))
    }
}

/// Gives functions of new cells the stubs of those that they replace.
struct Inherited<'a> {
    stage: Stage<'a>,
    known: &'a HashMap<Function, u64>,
}

impl Stubs for Inherited<'_> {
    fn stub(&mut self, function: Function, entry: u64) -> Option<u64> {
        self.known.get(&function).copied().or_else(|| self.stage.stub(function, entry))
    }
}

/// New cells that are linked, beside the old ones.
pub(super) struct Built {
    pub(super) pairs: Vec<Pair>,
    /// What they define.
    pub(super) names: Index,
    /// Stubs that will lead to other functions: their key now, their key and entry then.
    pub(super) stubs: Vec<(Function, Function, u64)>,
    pub(super) state_transfers: Vec<(String, StateTransfer)>,
}

/// A new cell whose references have no values yet.
struct Draft {
    cell: Box<Cell>,
    memory: Drafts,
}

/// Loads the new cells beside the old ones.
pub(super) fn build_new(turn: &Turn, works: &[Work<'_>]) -> Result<Built, ReplaceError> {
    let gone: HashSet<CellId> = works.iter().map(|work| work.old).collect();
    let mut own = Index::new();
    let mut drafts: Vec<Draft> = Vec::with_capacity(works.len());
    for work in works {
        let draft = draft(turn, work)?;
        linker::exports(&input(&draft.cell, &work.new_object), &mut own)
            .map_err(|error| duplicate(error, &draft.cell, drafts.iter().map(|draft| &*draft.cell)))?;
        drafts.push(draft);
    }
    let (mut stubs, mut known) = (Vec::new(), HashMap::new());
    let mut state_transfers = Vec::new();
    for (work, Draft { cell, .. }) in works.iter().zip(&drafts) {
        turn.step(|state| inherit_stubs(state, work, cell, &mut stubs, &mut known));
        state_transfers.extend(turn.step(|state| state_transfer(state, work, &own))?);
    }
    let mut pairs = Vec::with_capacity(works.len());
    for (draft, work) in drafts.into_iter().zip(works) {
        pairs.push(Pair { old: work.old, new: link(turn, work, draft, &own, &gone, &known)? });
    }
    Ok(Built { pairs, names: own, stubs, state_transfers })
}

/// Gives every reference of the new cell its value, and maps it where it will run.
fn link(
    turn: &Turn,
    work: &Work<'_>,
    draft: Draft,
    own: &Index,
    gone: &HashSet<CellId>,
    known: &HashMap<Function, u64>,
) -> Result<Box<Cell>, ReplaceError> {
    let Draft { mut cell, mut memory } = draft;
    let placements = &cell.layout.placements;
    let mut image = ThreadImage::new(&work.new_object, &cell.layout);
    let mut write = |section: usize, offset: usize, bytes: &[u8]| {
        let placement = placements[section];
        match placement.segment {
            Segment::Thread => image.write(placement.offset + offset, bytes),
            segment => memory.write(segment, placement.offset + offset, bytes),
        }
    };
    let input = input(&cell, &work.new_object);
    let references = turn.step(|state| {
        let (references, made) = {
            let names = Layered { upper: own, lower: &Remaining { loaded: &state.index, gone } };
            let mut inherited = Inherited { stage: state.stubs.stage(), known };
            let references = linker::link(&input, &names, &mut inherited, &mut write)
                .map_err(|error| LoadError::Link { cell: cell.entry.name.clone(), error })?;
            (references, inherited.stage.commit().map_err(LoadError::Stubs)?)
        };
        state.note_stubs(made).map_err(|_| ReplaceError::Memory)?;
        Ok::<_, ReplaceError>(references)
    })?;
    cell.references = references;
    cell.segments = memory.finish().map_err(|error| LoadError::Memory { cell: cell.entry.name.clone(), error })?;
    register_frames(&mut cell)?;
    Ok(cell)
}

fn draft(turn: &Turn, work: &Work<'_>) -> Result<Draft, ReplaceError> {
    let (id, layout, thread) = turn.step(|state| {
        let id = state.take_id();
        let old = &state.cells[work.old];
        let address = |section: usize| {
            let placement = old.layout.placements[section];
            usize::try_from(old.bases.address(placement.segment, placement.offset)).ok()
        };
        let layout = Layout::with_fixed(&work.new_object, |section| {
            work.comparison.kept_statics.get(&section).and_then(|&section| address(section))
        });
        (id, layout, old.bases.thread)
    });
    let Candidate { entry, file } = work.after;
    if layout.extent(Segment::Boot).size > 0 {
        return Err(LoadError::Boot { cell: entry.name.clone() }.into());
    }
    let (mut memory, mut bases) =
        Drafts::allocate(&layout).map_err(|error| LoadError::Memory { cell: entry.name.clone(), error })?;
    bases.thread = thread;
    for (section, placement) in work.new_object.sections.iter().zip(&layout.placements) {
        memory.write(placement.segment, placement.offset, section.bytes);
    }
    let description = Description::new(&work.new_object, &layout, file);
    let cell = Cell::new(id, Arc::clone(entry), Arc::clone(file), layout, bases, description);
    Ok(Draft { cell: Box::new(cell), memory })
}

/// Stubs of old functions that have a counterpart: what they will lead to goes into `changes`, their addresses by the new
/// function into `known`.
fn inherit_stubs(
    state: &State,
    work: &Work<'_>,
    new: &Cell,
    changes: &mut Vec<(Function, Function, u64)>,
    known: &mut HashMap<Function, u64>,
) {
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

/// The functions that hand state over, if both versions have them.
fn state_transfer(
    state: &State,
    work: &Work<'_>,
    own: &Index,
) -> Result<Option<(String, StateTransfer)>, ReplaceError> {
    let (before, after) = (&work.before.entry, &work.after.entry);
    let (Some((surrender, give_back)), Some((_, adopt))) = (&before.state_transfer, &after.state_transfer) else {
        return Ok(None);
    };
    let function = |cell: &CellEntry, index: &Index, name: &String| {
        let missing = || ReplaceError::from(LoadError::Unknown { cell: name.clone() });
        index.get(name).map(|global| EntryPoint::new(cell, name, global.address.get())).ok_or_else(missing)
    };
    let state_transfer = StateTransfer {
        surrender: function(before, &state.index, surrender)?,
        give_back: function(before, &state.index, give_back)?,
        adopt: function(after, own, adopt)?,
    };
    Ok(Some((before.name.clone(), state_transfer)))
}
