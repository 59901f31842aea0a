//! What refers to the old cells, and what it will refer to.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use hashbrown::HashMap;
use layout::Segment;
use linker::{CellId, Reference};
use mapping::Replacement;
use object::{SectionKind, SymbolKind};

use super::{Held, Prepared, ReplaceError, Write, examine::Work, patches::Patches};
use crate::{LoadError, cell::Cell, state::State};

/// The copies of pages and the words that make all references to the old cells lead to the new ones. The books of these
/// references, as they will be, go into `prepared`.
pub(super) fn patch(
    state: &State,
    works: &[Work<'_>],
    prepared: &mut Prepared,
) -> Result<(Vec<Replacement>, Vec<Write>), ReplaceError> {
    let mut patches = patch_references(state, works, prepared)?;
    patch_stubs(state, &mut patches, prepared)?;
    patches.finish(state).map_err(|(cell, error)| LoadError::Memory { cell, error }.into())
}

/// What every cell that stays, and every text that may still run, must have in the place of its references to the old
/// cells.
fn patch_references(state: &State, works: &[Work<'_>], prepared: &mut Prepared) -> Result<Patches, ReplaceError> {
    let mut patches = Patches::default();
    let by_old: HashMap<CellId, (&Work<'_>, &Cell)> =
        works.iter().zip(&prepared.pairs).map(|(work, pair)| (work.old, (work, &*pair.new))).collect();
    let mut references = Vec::new();
    let users = state.cells.values().filter(|user| !by_old.contains_key(&user.id)).map(|user| (user, false));
    for (user, zombie) in users.chain(state.zombies.values().map(|user| (user, true))) {
        for (place, reference) in user.references.iter().enumerate() {
            let Some((work, new)) = by_old.get(&reference.cell) else { continue };
            let symbol = &work.old_object.symbols[reference.symbol as usize];
            let Some(successor) = successor(work, new, symbol) else {
                if zombie {
                    continue;
                }
                let held = Held::Function { name: symbol.name.to_string(), user: user.entry.name.clone() };
                return Err(ReplaceError::Refused { cell: state.name_of(work.old), held });
            };
            patch_reference(&mut patches, state, user, reference, symbol, &successor)?;
            references.push((user.id, place, Reference { cell: new.id, symbol: successor.symbol, ..*reference }));
        }
    }
    let mut successions = Vec::new();
    for work in works {
        let old = &state.cells[work.old];
        for (section, reference) in text_that_goes_on(state, work, old, &by_old) {
            let (work, new) = by_old[&reference.cell];
            let symbol = &work.old_object.symbols[reference.symbol as usize];
            let Some(successor) = successor(work, new, symbol) else { continue };
            patch_reference(&mut patches, state, old, &reference, symbol, &successor)?;
            successions.push((old.id, Reference { section, cell: new.id, symbol: successor.symbol, ..reference }));
        }
    }
    prepared.references = references;
    prepared.successions = successions;
    Ok(patches)
}

/// What takes a symbol's place in the new version of its cell.
struct Successor {
    address: u64,
    symbol: u32,
    kind: SymbolKind,
}

/// The symbol of the new version that stands for `symbol` of the old one: in the section of the same name.
fn successor(work: &Work<'_>, new: &Cell, symbol: &object::Symbol<'_>) -> Option<Successor> {
    let (section, offset) = symbol.definition?;
    let &section = work.comparison.counterpart.get(&section)?;
    let stands_for = |other: &object::Symbol<'_>| {
        other.definition == Some((section, offset)) && (other.name == symbol.name || symbol.kind == SymbolKind::Section)
    };
    let number = work.new_object.symbols.iter().position(stands_for)?;
    let placement = new.layout.placements[section];
    Some(Successor {
        address: new.bases.address(placement.segment, placement.offset + offset),
        symbol: u32::try_from(number).ok()?,
        kind: work.new_object.symbols[number].kind,
    })
}

/// The references from text of the old cell that may go on running to text of cells of the swap set, its own included.
fn text_that_goes_on(
    state: &State,
    work: &Work<'_>,
    old: &Cell,
    by_old: &HashMap<CellId, (&Work<'_>, &Cell)>,
) -> Vec<(u32, Reference)> {
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
            let Some((definer, _)) = by_old.get(&cell) else { continue };
            let (Ok(offset), Ok(symbol)) = (u32::try_from(place.offset), u32::try_from(symbol)) else { continue };
            // Constants stay as long as the old cell does, and are the same.
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
    patches
        .patch(user, placement.segment, offset, before.bytes(), after.bytes())
        .map_err(|error| ReplaceError::from(LoadError::Memory { cell: user.entry.name.clone(), error }))
}

fn patch_stubs(state: &State, patches: &mut Patches, prepared: &Prepared) -> Result<(), ReplaceError> {
    for (old, _, entry) in &prepared.stubs {
        let Some(address) = state.stubs.get(*old) else { continue };
        let failed = |error| ReplaceError::from(LoadError::Memory { cell: String::from("(stubs)"), error });
        let bytes = linker::stub(address, *entry).map_err(|overflow| LoadError::Link {
            cell: String::from("(stubs)"),
            error: linker::LinkError::overflow("stub", 0, overflow),
        })?;
        patches.patch_stub(&state.stubs, address, &bytes).map_err(failed)?;
    }
    Ok(())
}
