//! The references to the old cells, and their successors.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use comparison::Incompatibility;
use hashbrown::HashMap;
use layout::Segment;
use linker::{CellId, Function, Reference};
use mapping::PreparedPage;
use namespace::{
    LoadError,
    parts::{Cell, State, Transaction},
};
use object::{SectionKind, SymbolKind};
use pivot::Exchange;

use crate::{error::ReplaceError, examine::Work, new_cells::Built, patches::Patches};

/// The changes that make all references to the old cells lead to the new ones.
#[derive(Default)]
pub(crate) struct Patched {
    pub(crate) pages: Vec<PreparedPage>,
    pub(crate) words: Vec<Exchange>,
    /// References of cells that stay: cell, place in its list, the new reference.
    pub(crate) references: Vec<(CellId, usize, Reference)>,
    /// References that the old cells will have: where their text goes on, it leads to the new ones.
    pub(crate) successions: Vec<(CellId, Reference)>,
}

/// Both versions of a cell.
struct Renewed<'a> {
    work: &'a Work<'a>,
    new: &'a Cell,
    /// The symbols of the new version by section and offset.
    symbols: HashMap<(usize, usize), Vec<usize>>,
}

/// The cells of the swap set, by the numbers of the old versions.
type ByOld<'a> = HashMap<CellId, Renewed<'a>>;

/// Collects the changes in every cell that stays and in every text that may still run: each reference to an old cell is to
/// lead to the new one.
pub(crate) fn patch(transaction: &Transaction, works: &[Work<'_>], built: &Built) -> Result<Patched, ReplaceError> {
    let by_old: ByOld<'_> =
        works.iter().zip(&built.pairs).map(|(work, pair)| (work.old, Renewed::new(work, &pair.new))).collect();
    let mut patches = Patches::default();
    let mut patched = Patched::default();
    let users = transaction.step(|state| {
        let users = state.cells.values().chain(state.retired_cells.values()).map(|user| user.id);
        users.filter(|user| !by_old.contains_key(user)).collect::<Vec<_>>()
    });
    for user in users {
        transaction.step(|state| patch_user(state, user, &by_old, &mut patches, &mut patched.references))?;
    }
    for work in works {
        transaction
            .step(|state| patch_text_that_goes_on(state, work, &by_old, &mut patches, &mut patched.successions))?;
    }
    transaction.step(|state| patch_stubs(state, &built.stubs, &mut patches))?;
    let (pages, words) = patches.finish(transaction)?;
    Ok(Patched { pages, words, ..patched })
}

/// Patches the references of one cell that is not replaced now.
fn patch_user(
    state: &State,
    user: CellId,
    by_old: &ByOld<'_>,
    patches: &mut Patches,
    references: &mut Vec<(CellId, usize, Reference)>,
) -> Result<(), ReplaceError> {
    let retired_cell = state.retired_cells.get(user);
    let Some(user) = state.cells.get(user).or(retired_cell) else { return Ok(()) };
    for (place, reference) in user.references.iter().enumerate() {
        let Some(renewed) = by_old.get(&reference.cell) else { continue };
        let symbol = &renewed.work.old_object.symbols[reference.symbol as usize];
        let Some(successor) = renewed.successor(symbol) else {
            if retired_cell.is_some() {
                continue;
            }
            let incompatibility =
                Incompatibility::Function { name: symbol.name.to_string(), user: user.entry.name.clone() };
            return Err(ReplaceError::Refused { cell: renewed.work.before.entry.name.clone(), incompatibility });
        };
        patch_reference(patches, state, user, reference, symbol, &successor)?;
        references.push((user.id, place, Reference { cell: renewed.new.id, symbol: successor.symbol, ..*reference }));
    }
    Ok(())
}

/// Patches the references from text of an old cell that may go on running to text of the swap set.
fn patch_text_that_goes_on(
    state: &State,
    work: &Work<'_>,
    by_old: &ByOld<'_>,
    patches: &mut Patches,
    successions: &mut Vec<(CellId, Reference)>,
) -> Result<(), ReplaceError> {
    let old = &state.cells[work.old];
    for (section, reference) in text_that_goes_on(state, work, old, by_old) {
        let renewed = &by_old[&reference.cell];
        let symbol = &renewed.work.old_object.symbols[reference.symbol as usize];
        let Some(successor) = renewed.successor(symbol) else { continue };
        patch_reference(patches, state, old, &reference, symbol, &successor)?;
        successions.push((old.id, Reference { section, cell: renewed.new.id, symbol: successor.symbol, ..reference }));
    }
    Ok(())
}

/// The symbol that takes another's place in the new version of its cell.
struct Successor {
    address: u64,
    symbol: u32,
    kind: SymbolKind,
}

impl<'a> Renewed<'a> {
    fn new(work: &'a Work<'a>, new: &'a Cell) -> Self {
        let mut symbols = HashMap::<_, Vec<_>>::new();
        for (number, symbol) in work.new_object.symbols.iter().enumerate() {
            if let Some(place) = symbol.definition {
                symbols.entry(place).or_default().push(number);
            }
        }
        Self { work, new, symbols }
    }

    /// The symbol of the new version that stands for `symbol` of the old one: in the section of the same name.
    fn successor(&self, symbol: &object::Symbol<'_>) -> Option<Successor> {
        let (section, offset) = symbol.definition?;
        let &section = self.work.comparison.counterpart.get(&section)?;
        let symbols = &self.work.new_object.symbols;
        let stands_for = |&&number: &&usize| symbols[number].name == symbol.name || symbol.kind == SymbolKind::Section;
        let &number = self.symbols.get(&(section, offset))?.iter().find(stands_for)?;
        let placement = self.new.layout.placements[section];
        Some(Successor {
            address: self.new.bases.address(placement.segment, placement.offset + offset),
            symbol: u32::try_from(number).ok()?,
            kind: symbols[number].kind,
        })
    }
}

/// The references from text of the old cell that may go on running to text of cells of the swap set, its own included.
fn text_that_goes_on(state: &State, work: &Work<'_>, old: &Cell, by_old: &ByOld<'_>) -> Vec<(u32, Reference)> {
    let mut found = Vec::new();
    for &number in &work.comparison.stable {
        let Ok(section) = u32::try_from(number) else { continue };
        for place in work.old_object.relocations(number) {
            let symbol = &work.old_object.symbols[place.symbol];
            let (cell, target, symbol) = match symbol.definition {
                Some((target, _)) => (work.old, target, place.symbol),
                None => match state.index.get(symbol.name) {
                    Some(global) => (global.cell, global.section as usize, global.symbol as usize),
                    None => continue,
                },
            };
            let Some(Renewed { work: definer, .. }) = by_old.get(&cell) else { continue };
            let (Ok(offset), Ok(symbol)) = (u32::try_from(place.offset), u32::try_from(symbol)) else { continue };
            // Constants stay as long as the old cell does, and are the same in both versions.
            if definer.old_object.sections[target].kind == SectionKind::Text || cell != old.id {
                found.push((
                    section,
                    Reference { section, offset, kind: place.kind, addend: place.addend, cell, symbol },
                ));
            }
        }
    }
    found
}

fn patch_reference(
    patches: &mut Patches,
    state: &State,
    user: &Cell,
    reference: &Reference,
    symbol: &object::Symbol<'_>,
    successor: &Successor,
) -> Result<(), ReplaceError> {
    let function = matches!(symbol.kind, SymbolKind::Function | SymbolKind::Section);
    let (Some((section, inside)), Some(old)) = (symbol.definition, state.cells.get(reference.cell)) else {
        return Ok(());
    };
    let old_placement = old.layout.placements[section];
    // An address that was taken is that of a stub, which stays.
    let stubbed = reference.kind.takes_address() && function && old_placement.segment == Segment::Text;
    let old_address = old.bases.address(old_placement.segment, old_placement.offset + inside);
    if stubbed || successor.kind == SymbolKind::Thread || old_address == successor.address {
        return Ok(());
    }
    let placement = user.layout.placements[reference.section as usize];
    let offset = placement.offset + reference.offset as usize;
    let place = user.bases.address(placement.segment, offset);
    let field = |address| {
        reference.kind.field(address, reference.addend, place).map_err(|overflow| LoadError::Link {
            cell: user.entry.name.clone(),
            error: linker::LinkError::overflow(symbol.name, reference.offset as usize, overflow),
        })
    };
    let (before, after) = (field(old_address)?, field(successor.address)?);
    patches.patch(user, placement.segment, offset, before.bytes(), after.bytes());
    Ok(())
}

fn patch_stubs(state: &State, stubs: &[(Function, Function, u64)], patches: &mut Patches) -> Result<(), ReplaceError> {
    for (old, _, entry) in stubs {
        let Some(address) = state.stubs.get(*old) else { continue };
        let bytes = linker::stub(address, *entry).map_err(|overflow| LoadError::Link {
            cell: String::from("(stubs)"),
            error: linker::LinkError::overflow("stub", 0, overflow),
        })?;
        patches.patch_stub(&state.stubs, address, &bytes);
    }
    Ok(())
}
