//! Which sections may hold an address of text.
//!
//! A replaced cell is freed when no frame stands in its text: the scan for references takes no other word for one that leads
//! there (decision 0052). That is right if such an address is only in the hands of the text itself and of the constants
//! that its own object keeps for it (the targets of a `match`); everybody else has the address of a permanent stub, which
//! the linker gives for the entry of a function.

use std::collections::HashMap;

use object::{Binding, Object, SectionKind, SymbolKind};

use crate::{BuildError, cells::Cell};

/// Refuses a cell that lets an address of text out which is not that of a stub.
///
/// # Errors
/// [`BuildError::TextAddress`] names cell, section and symbol.
pub fn check(cells: &[Cell]) -> Result<(), BuildError> {
    let objects = cells.iter().map(Cell::object).collect::<Result<Vec<_>, _>>()?;
    let functions: HashMap<&str, SymbolKind> = objects.iter().flat_map(functions).collect();
    for (cell, object) in cells.iter().zip(&objects) {
        for (number, section) in object.sections.iter().enumerate() {
            for place in object.relocations(number).iter().filter(|place| place.kind.takes_address()) {
                let symbol = &object.symbols[place.symbol];
                let (kind, is_own) = match symbol.definition {
                    Some((section, _)) if object.sections[section].kind == SectionKind::Text => (symbol.kind, true),
                    Some(_) => continue,
                    None => match functions.get(symbol.name) {
                        Some(&kind) => (kind, false),
                        None => continue,
                    },
                };
                let has_stub = place.takes_entry() && matches!(kind, SymbolKind::Function | SymbolKind::Section);
                let is_kept = match section.kind {
                    SectionKind::Frames | SectionKind::Boot => true,
                    SectionKind::Text | SectionKind::Constants => is_own,
                    _ => false,
                };
                if !has_stub && !is_kept {
                    return Err(BuildError::TextAddress {
                        cell: cell.name().to_owned(),
                        section: section.name.to_owned(),
                        symbol: symbol.name.to_owned(),
                    });
                }
            }
        }
    }
    Ok(())
}

/// The names that `object` defines for others in its text.
fn functions<'a>(object: &'a Object<'_>) -> impl Iterator<Item = (&'a str, SymbolKind)> {
    object.symbols.iter().filter_map(|symbol| {
        let (section, _) = symbol.definition.filter(|_| symbol.binding != Binding::Local)?;
        (object.sections[section].kind == SectionKind::Text).then_some((symbol.name, symbol.kind))
    })
}
