//! Exchanging the frames behind pages of code or constants for prepared copies.
//!
//! Protocol: the copies are written through a writable mapping of their own; [`prepare_pages`] ends that mapping on every
//! CPU and names the page table entries with their new values. The pivot writes the entries while no other CPU runs, then
//! makes every CPU forget all translations. Until a [`PreparedPage`] is dropped the pivot may go back and forth; dropping
//! it frees the one of the two frames that the entry does not name.

use addresses::{Page, VirtAddr};
use cpu_local::PreemptGuard;
use frames::{AllocatedFrames, Purpose};
use page_tables::{Entry, Machine};

use crate::hardware::{ACTIVE, Processor};
use crate::{Executable, MapError, MappedPages, Permission, ReadOnly, Refused, Writable, range, shootdown};

/// One page with a frame that can be exchanged by writing one word.
#[derive(Debug)]
#[must_use = "dropping it frees the frame that is not in use"]
pub struct PreparedPage {
    page: Page,
    entry: VirtAddr,
    old: Entry,
    new: Entry,
    purpose: Purpose,
}

/// Rights under which frames may be exchanged: they permit no write through this mapping.
pub trait Fixed: Permission {}
impl Fixed for ReadOnly {}
impl Fixed for Executable {}

/// A page under fixed rights: the frame behind it may be exchanged.
#[derive(Clone, Copy, Debug)]
pub struct Exchangeable(Page);

impl<R: Fixed> MappedPages<R> {
    /// Page `index`, if there are as many.
    pub fn exchangeable(&self, index: usize) -> Option<Exchangeable> {
        self.pages().get(index).map(Exchangeable)
    }
}

impl MappedPages<Executable> {
    /// Puts `copy`, of one page, in the place of page `index`, while any CPU may be executing it: a CPU sees the one or
    /// the other at every moment. Returns when no CPU sees the old one.
    ///
    /// # Safety
    /// No other caller exchanges the page meanwhile. A task that executes it may go on in the copy.
    pub unsafe fn exchange_page(&mut self, index: usize, copy: MappedPages<Writable>) -> Result<(), Refused<Writable>> {
        let Some(page) = self.exchangeable(index) else {
            let error = MapError::Pages(pages::PagesError::OutOfBounds);
            return Err(Refused { mapping: copy, error });
        };
        let mut prepared = None;
        // SAFETY: the caller's promise; the result is dropped here.
        unsafe { prepare_pages(&[page], copy, &mut |page| prepared = Some(page)) }?;
        let Some(prepared) = prepared else { return Ok(()) };
        // SAFETY: the entry of a mapped page, which `self` owns; one aligned store.
        unsafe { prepared.entry().write_volatile(prepared.new_bits()) };
        if shootdown::forget(page.0.as_range()).is_err() {
            // Some CPU may still use the old frame, and no page names it any more: it stays out of use.
            core::mem::forget(prepared);
        }
        Ok(())
    }
}

/// Makes ready to exchange the frames behind `pages` for those that `copies` maps, in this order; `take` gets one prepared
/// page for each. The mapping of the copies ends for all of them at once. On an error `take` is not called. A copy was made by
/// reading its page: then the processor has noted the access in the page's entry, and has nothing left to note.
///
/// # Safety
/// No page comes twice. Only the pivot writes the entries, as the protocol says: after the last write every CPU forgets the
/// pages. Then the prepared pages are dropped, and before the mappings that the pages belong to.
///
/// # Errors
/// [`MapError::NotAsExpected`] if there is not one copy for each page, or a page does not own its frame;
/// [`MapError::Shootdown`] if a CPU does not forget the copies' mapping.
pub unsafe fn prepare_pages(
    pages: &[Exchangeable],
    copies: MappedPages<Writable>,
    take: &mut dyn FnMut(PreparedPage),
) -> Result<(), Refused<Writable>> {
    // See `MappedPages`: the copies' pages have no owner for a moment.
    let _whole = PreemptGuard::new();
    let entry = |page: Page| page_tables::read(&Processor, ACTIVE, page);
    let first = copies.pages().first();
    let unexpected = if copies.pages().count() == pages.len() {
        let owned = |page: &Page| entry(*page).is_owned();
        pages.iter().map(|page| page.0).chain(copies.pages().iter()).find(|page| !owned(page))
    } else {
        Some(first)
    };
    if let Some(page) = unexpected {
        return Err(Refused { mapping: copies, error: MapError::NotAsExpected(page) });
    }
    let purpose = copies.purpose();
    let mut originals = pages.iter();
    let outcome = range::detach(copies.pages(), &mut |copied| {
        // There is one for each.
        let Some(&Exchangeable(page)) = originals.next() else { return };
        // All bits of it, so that the pivot, which exchanges the entry, can tell whether it is still this one. The
        // processor changes none of them from here on: it noted the access before the page was first read, and under
        // these rights there are no writes to note.
        let old = entry(page);
        take(PreparedPage { page, entry: ACTIVE.entry(1, page), old, new: old.with_frame(copied.frame()), purpose });
    });
    match outcome {
        Ok(()) => {
            let _pages = copies.into_pages();
            Ok(())
        }
        Err(timeout) => Err(Refused { mapping: copies, error: timeout.into() }),
    }
}

impl PreparedPage {
    /// The page.
    pub fn page(&self) -> Page {
        self.page
    }

    /// Where its page table entry is.
    pub fn entry(&self) -> *mut u64 {
        self.entry.as_mut_ptr()
    }

    /// The entry's value that names the old frame.
    pub fn old_bits(&self) -> u64 {
        self.old.bits()
    }

    /// The entry's value that names the copy.
    pub fn new_bits(&self) -> u64 {
        self.new.bits()
    }

    /// Whether the page shows the copy now.
    pub fn is_replaced(&self) -> bool {
        Processor.load(self.entry).frame() == self.new.frame()
    }
}

impl Drop for PreparedPage {
    fn drop(&mut self) {
        let spare = if self.is_replaced() { self.old.frame() } else { self.new.frame() };
        // Whichever frame it is: the mapping counts its page under its own purpose, the copy was counted under this one.
        // SAFETY: the frame was put down by one of the two mappings, no entry names it, and by the protocol no CPU remembers
        // that one did.
        drop(unsafe { AllocatedFrames::from_range(spare.as_range(), self.purpose) });
    }
}
