//! The changes outside the new cells: patched copies of pages, and words of statics.

use alloc::{string::String, vec::Vec};

use addresses::PAGE_SIZE;
use frames::Purpose;
use layout::Segment;
use linker::CellId;
use mapping::{Exchangeable, Fixed, MapError, MappedPages, PreparedPage, Readable, Writable};
use namespace::{
    LoadError,
    parts::{Cell, State, StubTable, Transaction},
};
use pages::PagesError;
use pivot::Exchange;

use crate::error::ReplaceError;

/// A page of which there will be a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PatchedPage {
    owner: Owner,
    /// Index in the owner's pages.
    page: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Text(CellId),
    Constants(CellId),
    /// An area of stubs, by its number.
    Stubs(usize),
}

/// A byte that is another one in the copy. A field may lie across the border of two pages; its bytes do not.
#[derive(Clone, Copy, Debug)]
struct Patch {
    page: PatchedPage,
    /// In the page.
    offset: usize,
    byte: u8,
}

/// Patches that are collected while everything runs.
#[derive(Default)]
pub(crate) struct Patches {
    bytes: Vec<Patch>,
    words: Vec<Exchange>,
}

impl Patches {
    /// Puts `new` at `offset` of a segment of `cell`, in the place of `old`.
    pub(crate) fn patch(&mut self, cell: &Cell, segment: Segment, offset: usize, old: &[u8], new: &[u8]) {
        match segment {
            Segment::Text => self.patch_pages(Owner::Text(cell.id), offset, new),
            Segment::Constants => self.patch_pages(Owner::Constants(cell.id), offset, new),
            _ => self.words.push(Exchange {
                address: cell.bases.address(segment, offset),
                old: number(old),
                new: number(new),
                bytes: new.len() as u64,
            }),
        }
    }

    /// Puts `bytes` in the place of the stub at `address`.
    pub(crate) fn patch_stub(&mut self, stubs: &StubTable, address: u64, bytes: &[u8]) {
        if let Some((area, page, offset)) = stubs.place_of(address) {
            self.patch_pages(Owner::Stubs(area), page * PAGE_SIZE + offset, bytes);
        }
    }

    fn patch_pages(&mut self, owner: Owner, offset: usize, new: &[u8]) {
        let patch = |(offset, &byte)| {
            let page = PatchedPage { owner, page: offset / PAGE_SIZE };
            Patch { page, offset: offset % PAGE_SIZE, byte }
        };
        self.bytes.extend((offset..).zip(new).map(patch));
    }

    /// Copies the pages and patches the copies, which are then ready to take the place of their originals.
    pub(crate) fn finish(
        mut self,
        transaction: &Transaction,
    ) -> Result<(Vec<PreparedPage>, Vec<Exchange>), ReplaceError> {
        // Stable, so that of two patches of one byte the later one counts.
        self.bytes.sort_by_key(|patch| patch.page);
        let pages = self.bytes.chunk_by(|one, next| one.page == next.page);
        let count = pages.clone().count();
        if count == 0 {
            return Ok((Vec::new(), self.words));
        }
        let failed = |error| ReplaceError::from(LoadError::Memory { cell: String::from("(patched pages)"), error });
        // All copies are counted as text until they take the places of their originals. The count of the originals says
        // the true kind.
        let mut copies = mapping::allocate(count, Writable, Purpose::CellText).map_err(failed)?;
        let mut originals = Vec::with_capacity(count);
        for (copy, patches) in copies.bytes_mut().chunks_exact_mut(PAGE_SIZE).zip(pages) {
            let page = patches[0].page;
            originals.push(transaction.step(|state| copy_page(state, page, copy)).map_err(failed)?);
            patches.iter().for_each(|patch| copy[patch.offset] = patch.byte);
        }
        let mut prepared = Vec::with_capacity(count);
        // SAFETY: each page came once. Only the engine's pivot writes the entries, and has every CPU forget all pages;
        // `Prepared` drops the pages before any cell can go.
        unsafe { mapping::prepare_pages(&originals, copies, &mut |page| prepared.push(page)) }
            .map_err(|refused| failed(refused.error))?;
        Ok((prepared, self.words))
    }
}

/// Copies a page, which is there as long as the transaction lasts.
fn copy_page(
    state: &State,
    PatchedPage { owner, page }: PatchedPage,
    copy: &mut [u8],
) -> Result<Exchangeable, MapError> {
    let cell = |id| state.cells.get(id).or_else(|| state.retired_cells.get(id));
    let original = match owner {
        Owner::Text(id) => cell(id).and_then(|cell| copy_from(cell.text()?, page, copy)),
        Owner::Constants(id) => cell(id).and_then(|cell| copy_from(cell.constants()?, page, copy)),
        Owner::Stubs(area) => copy_from(state.stubs.area(area), page, copy),
    };
    original.ok_or(MapError::Pages(PagesError::OutOfBounds))
}

fn copy_from<R: Fixed + Readable>(mapping: &MappedPages<R>, page: usize, copy: &mut [u8]) -> Option<Exchangeable> {
    copy.copy_from_slice(mapping.bytes().get(page * PAGE_SIZE..)?.get(..PAGE_SIZE)?);
    mapping.exchangeable(page)
}

/// The value of a field, as a little-endian number.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
