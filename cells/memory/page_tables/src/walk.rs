//! Mapping, changing and unmapping ranges of pages.
//!
//! All but [`read`], [`entry_of`] and [`for_each`] take pages that the caller owns. A function on mapped pages relies on
//! their tables being there: [`prepare`] or [`map`] came before.

use core::fmt;

use addresses::{FrameRange, Page, PageRange, VirtAddr};

use crate::window::LEVELS;
use crate::{Entry, Machine, RECURSIVE_SLOT, Rights, Window};

const ENTRIES: u64 = 512;

/// Why a range could not be mapped. No page's translation has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableError {
    /// No frame is left for a table.
    NoMemory,
    /// The page is mapped or withheld already.
    Occupied(Page),
    /// The page lies within a larger page of the boot code's tables.
    Huge(Page),
    /// There are not as many frames as pages.
    Lengths {
        /// The pages that were to be mapped.
        pages: usize,
        /// The frames they were to be mapped to.
        frames: usize,
    },
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMemory => write!(f, "no memory for a page table"),
            Self::Occupied(page) => write!(f, "page {:#x} is mapped already", page.start()),
            Self::Huge(page) => write!(f, "page {:#x} lies in a large page", page.start()),
            Self::Lengths { pages, frames } => write!(f, "{pages} pages for {frames} frames"),
        }
    }
}

/// Maps `pages` to `frames`, one to one. `owned`: the caller that takes the mapping away gets the frames.
///
/// # Errors
/// [`TableError`]. Nothing is mapped.
pub fn map<M: Machine>(
    machine: &M,
    window: Window,
    pages: PageRange,
    frames: FrameRange,
    rights: Rights,
    owned: bool,
) -> Result<(), TableError> {
    if pages.count() != frames.count() {
        return Err(TableError::Lengths { pages: pages.count(), frames: frames.count() });
    }
    prepare(machine, window, pages)?;
    for (page, entry) in leaves(window, pages) {
        if !machine.load(entry).is_empty() {
            return Err(TableError::Occupied(page));
        }
    }
    for ((_, entry), frame) in leaves(window, pages).zip(frames.iter()) {
        machine.store(entry, Entry::leaf(frame, rights, owned));
    }
    Ok(())
}

/// Makes the tables that lead to `pages`, so that their entries can be read and written.
///
/// # Errors
/// [`TableError`].
pub fn prepare<M: Machine>(machine: &M, window: Window, pages: PageRange) -> Result<(), TableError> {
    let mut number = pages.first().number();
    while number < pages.end_number() {
        let Some(page) = Page::from_number(number) else { break };
        prepare_one(machine, window, page)?;
        number = (number / ENTRIES + 1) * ENTRIES;
    }
    Ok(())
}

fn prepare_one<M: Machine>(machine: &M, window: Window, page: Page) -> Result<(), TableError> {
    for level in (2..=LEVELS).rev() {
        let address = window.entry(level, page);
        let entry = machine.load(address);
        if entry.is_huge() {
            return Err(TableError::Huge(page));
        }
        if !entry.is_present() && !machine.install_table(address) {
            return Err(TableError::NoMemory);
        }
    }
    Ok(())
}

/// Where the leaf entry of `page` is, if its tables exist. Takes no lock.
pub fn entry_of<M: Machine>(machine: &M, window: Window, page: Page) -> Option<VirtAddr> {
    for level in (2..=LEVELS).rev() {
        let entry = machine.load(window.entry(level, page));
        if !entry.is_present() || entry.is_huge() {
            return None;
        }
    }
    Some(window.entry(1, page))
}

/// The leaf entry of `page`, empty if its tables do not exist. Takes no lock.
pub fn read<M: Machine>(machine: &M, window: Window, page: Page) -> Entry {
    entry_of(machine, window, page).map_or(Entry::EMPTY, |entry| machine.load(entry))
}

/// Makes the processor fault on mapped pages, and keeps all else. CPUs may still remember the pages until told.
pub fn withhold<M: Machine>(machine: &M, window: Window, pages: PageRange) {
    change(machine, window, pages, Entry::withheld);
}

/// Undoes [`withhold`].
pub fn reveal<M: Machine>(machine: &M, window: Window, pages: PageRange) {
    for (_, address) in leaves(window, pages) {
        let entry = machine.load(address);
        // The processor does not remember that a page was absent, so no CPU need be told.
        if !entry.is_empty() {
            machine.store(address, entry.revealed());
        }
    }
}

/// Gives withheld pages other rights. No CPU may still remember them.
pub fn restrict<M: Machine>(machine: &M, window: Window, pages: PageRange, rights: Rights) {
    change(machine, window, pages, |entry| entry.with_rights(rights));
}

/// Marks pages as not written. A CPU that has written to them marks them again only when it has been told to forget them.
pub fn mark_unwritten<M: Machine>(machine: &M, window: Window, pages: PageRange) {
    change(machine, window, pages, Entry::unwritten);
}

fn change<M: Machine>(machine: &M, window: Window, pages: PageRange, new: impl Fn(Entry) -> Entry) {
    for (_, address) in leaves(window, pages) {
        let entry = machine.load(address);
        if !entry.is_empty() {
            machine.store(address, new(entry));
        }
    }
}

/// Takes the mapping of `pages` away and passes on each former entry. No CPU may still remember them: [`withhold`] came
/// before, and then every CPU was told.
pub fn take<M: Machine>(machine: &M, window: Window, pages: PageRange, mut each: impl FnMut(Page, Entry)) {
    for (page, address) in leaves(window, pages) {
        let entry = machine.load(address);
        if !entry.is_empty() {
            machine.store(address, Entry::EMPTY);
            each(page, entry);
        }
    }
}

/// Moves the frames of the withheld pages `from` to the empty pages `to`, with new rights. As with [`take`], no CPU may
/// still remember `from`.
///
/// # Errors
/// [`TableError`]. Nothing is moved.
pub fn transfer<M: Machine>(
    machine: &M,
    window: Window,
    from: PageRange,
    to: PageRange,
    rights: Rights,
) -> Result<(), TableError> {
    if from.count() != to.count() {
        return Err(TableError::Lengths { pages: to.count(), frames: from.count() });
    }
    prepare(machine, window, to)?;
    for (page, address) in leaves(window, to) {
        if !machine.load(address).is_empty() {
            return Err(TableError::Occupied(page));
        }
    }
    for ((_, source), (_, target)) in leaves(window, from).zip(leaves(window, to)) {
        let entry = machine.load(source);
        machine.store(source, Entry::EMPTY);
        machine.store(target, entry.with_rights(rights).revealed());
    }
    Ok(())
}

/// Calls `each` for every leaf entry that is not empty, in order of addresses; the tables themselves are left out.
pub fn for_each<M: Machine>(machine: &M, window: Window, mut each: impl FnMut(Page, Entry)) {
    let mut number = 0;
    while number < 1 << 36 {
        let page = page_of(number);
        if number >> 27 == RECURSIVE_SLOT {
            number += 1 << 27;
            continue;
        }
        match absent_level(machine, window, page) {
            Some(level) => {
                let span = 1 << (9 * (level - 1));
                number = (number / span + 1) * span;
            }
            None => {
                let entry = machine.load(window.entry(1, page));
                if !entry.is_empty() {
                    each(page, entry);
                }
                number += 1;
            }
        }
    }
}

/// The page with these 36 bits of number; the hole is skipped.
fn page_of(bits: u64) -> Page {
    Page::containing(VirtAddr::new_truncate(bits << 12))
}

/// The highest level at which the walk to `page` ends before a leaf. Asked anew only where a table begins.
fn absent_level<M: Machine>(machine: &M, window: Window, page: Page) -> Option<u32> {
    if !page.number().is_multiple_of(ENTRIES) {
        return None;
    }
    (2..=LEVELS).rev().find(|level| {
        let entry = machine.load(window.entry(*level, page));
        !entry.is_present() || entry.is_huge()
    })
}

/// Each page with the address of its leaf entry.
#[inline]
fn leaves(window: Window, pages: PageRange) -> impl Iterator<Item = (Page, VirtAddr)> {
    pages.iter().map(move |page| (page, window.entry(1, page)))
}
