//! What must be written elsewhere when cells are replaced: copies of pages, and words of statics.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use addresses::PAGE_SIZE;
use layout::Segment;
use linker::CellId;
use mapping::{MapError, MappedPages, Replacement, Writable};

use super::Write;
use crate::{cell::Cell, segments::copy_page, state::State, stubs::StubTable};

/// Whose page it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Cell(CellId, Segment),
    Stubs(usize),
}

/// Patches that are collected while everything runs.
#[derive(Default)]
pub(super) struct Patches {
    copies: BTreeMap<(Owner, usize), MappedPages<Writable>>,
    pub(super) words: Vec<Write>,
}

impl Patches {
    /// Puts `new` at `offset` of a segment of `cell`, where `old` is now.
    pub(super) fn patch(
        &mut self,
        cell: &Cell,
        segment: Segment,
        offset: usize,
        old: &[u8],
        new: &[u8],
    ) -> Result<(), MapError> {
        match segment {
            Segment::Text | Segment::Constants => self.patch_pages(cell, segment, offset, new),
            _ => {
                self.words.push(Write {
                    address: cell.bases.address(segment, offset),
                    old: number(old),
                    new: number(new),
                    bytes: new.len(),
                });
                Ok(())
            }
        }
    }

    fn patch_pages(&mut self, cell: &Cell, segment: Segment, offset: usize, new: &[u8]) -> Result<(), MapError> {
        // A field may lie across the border of two pages.
        for (offset, &byte) in (offset..).zip(new) {
            let (page, inside) = (offset / PAGE_SIZE, offset % PAGE_SIZE);
            let key = (Owner::Cell(cell.id, segment), page);
            let copy = match self.copies.entry(key) {
                alloc::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                alloc::collections::btree_map::Entry::Vacant(entry) => {
                    let copy = match segment {
                        Segment::Text => cell.segments.text.as_ref().map(|text| copy_page(text, page)),
                        _ => cell.segments.constants.as_ref().map(|constants| copy_page(constants, page)),
                    };
                    match copy {
                        Some(copy) => entry.insert(copy?),
                        None => return Ok(()),
                    }
                }
            };
            copy.bytes_mut()[inside] = byte;
        }
        Ok(())
    }

    /// Puts `bytes` in the place of the stub at `address`.
    pub(super) fn patch_stub(&mut self, stubs: &StubTable, address: u64, bytes: &[u8]) -> Result<(), MapError> {
        let Some((area, page, offset)) = stubs.place_of(address) else { return Ok(()) };
        let copy = match self.copies.entry((Owner::Stubs(area), page)) {
            alloc::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            alloc::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(copy_page(stubs.area(area).mapping(), page)?)
            }
        };
        copy.bytes_mut()[offset..offset + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    /// Ends the writing: the copies are ready to take the place of their originals.
    pub(super) fn finish(self, state: &State) -> Result<(Vec<Replacement>, Vec<Write>), (String, MapError)> {
        let mut pages = Vec::with_capacity(self.copies.len());
        let stubs = &state.stubs;
        let owner_of = |id: CellId| state.cells.get(id).or_else(|| state.zombies.get(id));
        for ((owner, page), copy) in self.copies {
            // SAFETY: only the engine's pivot writes the entries, while no CPU runs; `Prepared` drops the replacements
            // before any cell can go.
            let replacement = unsafe {
                match owner {
                    Owner::Stubs(area) => Some(stubs.area(area).mapping().prepare_replacement(page, copy)),
                    Owner::Cell(id, segment) => owner_of(id).and_then(|cell| match segment {
                        Segment::Text => cell.segments.text.as_ref().map(|text| text.prepare_replacement(page, copy)),
                        _ => {
                            cell.segments.constants.as_ref().map(|constants| constants.prepare_replacement(page, copy))
                        }
                    }),
                }
            };
            match replacement {
                Some(Ok(replacement)) => pages.push(replacement),
                Some(Err(refused)) => return Err((owner_name(owner, state), refused.error)),
                None => {}
            }
        }
        Ok((pages, self.words))
    }
}

fn owner_name(owner: Owner, state: &State) -> String {
    match owner {
        Owner::Stubs(_) => String::from("(stubs)"),
        Owner::Cell(id, _) => state.name_of(id),
    }
}

/// The value of a field, as a little-endian number.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
