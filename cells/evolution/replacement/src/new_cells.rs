//! Loading new cells beside the old ones.

use alloc::{boxed::Box, string::String, vec::Vec};

use hashbrown::{HashMap, HashSet};
use layout::Layout;
use linker::{CellId, Function, Global, Index, Layered, Names, Stubs};
use manifest::CellEntry;
use namespace::{
    EntryPoint, LoadError,
    parts::{Cell, Draft, Stage, State, ThreadLocals, Transaction, duplicate},
};
use object::SectionKind;

use crate::{change::StateTransfer, error::ReplaceError, examine::Work};

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

/// A cell that is to take another's place.
pub(crate) struct Pair {
    pub(crate) old: CellId,
    pub(crate) new: Box<Cell>,
}

/// New cells that are linked, beside the old ones.
pub(crate) struct Built {
    pub(crate) pairs: Vec<Pair>,
    /// The names that they define.
    pub(crate) names: Index,
    /// Stubs that will lead to other functions: the old function, the new one and its entry.
    pub(crate) stubs: Vec<(Function, Function, u64)>,
    pub(crate) state_transfers: Vec<(String, StateTransfer)>,
}

/// Loads the new cells beside the old ones.
pub(crate) fn build(transaction: &Transaction, works: &[Work<'_>]) -> Result<Built, ReplaceError> {
    let gone: HashSet<CellId> = works.iter().map(|work| work.old).collect();
    let mut own = Index::new();
    let mut drafts: Vec<Draft<'_>> = Vec::with_capacity(works.len());
    for work in works {
        let draft = draft(transaction, work)?;
        draft.export(&mut own).map_err(|error| duplicate(error, draft.cell(), drafts.iter().map(Draft::cell)))?;
        drafts.push(draft);
    }
    let (mut stubs, mut known) = (Vec::new(), HashMap::new());
    let mut state_transfers = Vec::new();
    for (work, draft) in works.iter().zip(&drafts) {
        transaction.step(|state| inherit_stubs(state, work, draft.cell(), &mut stubs, &mut known));
        state_transfers.extend(transaction.step(|state| state_transfer(state, work, &own))?);
    }
    let mut pairs = Vec::with_capacity(works.len());
    for (mut draft, work) in drafts.into_iter().zip(works) {
        transaction.step(|state| link(state, &mut draft, &own, &gone, &known))?;
        pairs.push(Pair { old: work.old, new: draft.finish()? });
    }
    Ok(Built { pairs, names: own, stubs, state_transfers })
}

/// Takes memory for a new cell. Statics that stay keep their addresses, and so do thread locals.
fn draft<'a>(transaction: &Transaction, work: &'a Work<'_>) -> Result<Draft<'a>, ReplaceError> {
    let (id, layout, distance) = transaction.step(|state| {
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
    Ok(Draft::new(id, work.after, &work.new_object, layout, ThreadLocals::Kept(distance))?)
}

/// Gives every reference of a new cell its value.
fn link(
    state: &mut State,
    draft: &mut Draft<'_>,
    own: &Index,
    gone: &HashSet<CellId>,
    known: &HashMap<Function, u64>,
) -> Result<(), ReplaceError> {
    let made = {
        let names = Layered { upper: own, lower: &Remaining { loaded: &state.index, gone } };
        let mut inherited = Inherited { stage: state.stubs.stage(), known };
        draft.link(&names, &mut inherited)?;
        inherited.stage.commit().map_err(LoadError::Stubs)?
    };
    state.note_stubs(made).map_err(|_| ReplaceError::Memory)
}

/// Stubs of old functions that have a counterpart: the new functions go into `changes`, the addresses of the stubs by the new
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
        let entry = new.input(&work.new_object).address(section, 0);
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
    let (Some((export_state, give_back)), Some((_, import_state))) = (&before.state_transfer, &after.state_transfer)
    else {
        return Ok(None);
    };
    let function = |cell: &CellEntry, index: &Index, name: &String| {
        let missing = || ReplaceError::from(LoadError::Unknown { cell: name.clone() });
        let address = index.get(name).ok_or_else(missing)?.address.get();
        // SAFETY: both indices have the address from the object of that cell: the old one is loaded, the new one is linked.
        Ok::<_, ReplaceError>(unsafe { EntryPoint::new(cell, name, address) })
    };
    let state_transfer = StateTransfer {
        export_state: function(before, &state.index, export_state)?,
        give_back: function(before, &state.index, give_back)?,
        import_state: function(after, own, import_state)?,
    };
    Ok(Some((before.name.clone(), state_transfer)))
}
