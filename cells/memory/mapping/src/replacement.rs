//! Exchanging the frame behind a page of code or constants for a prepared copy.
//!
//! Protocol: a copy is written through its own writable mapping; [`MappedPages::prepare_replacement`] ends that mapping
//! on every CPU and says which page table entry must become what. The pivot writes the entries while no other CPU runs,
//! then makes every CPU forget all translations. Until the [`Replacement`] is dropped the pivot may go back and forth;
//! dropping it frees whichever of the two frames the entry does not name.

use addresses::{Page, VirtAddr};
use cpu_local::PreemptGuard;
use frames::{AllocatedFrames, Purpose};
use page_tables::{Entry, Machine};

use crate::hardware::{ACTIVE, Processor};
use crate::{Executable, MapError, MappedPages, Permission, ReadOnly, Refused, Writable, range, shootdown};

/// One page whose frame can be exchanged by writing one word.
#[derive(Debug)]
#[must_use = "dropping it frees the frame that is not in use"]
pub struct Replacement {
    page: Page,
    entry: VirtAddr,
    old: Entry,
    new: Entry,
    purpose: Purpose,
}

/// Rights under which frames may be exchanged: what is never written through this mapping.
pub trait Fixed: Permission {}
impl Fixed for ReadOnly {}
impl Fixed for Executable {}

impl<R: Fixed> MappedPages<R> {
    /// Makes ready to exchange the frame behind page `index` for the one that `copy`, of one page, maps.
    ///
    /// # Safety
    /// Only the pivot writes the entry, as the protocol says, and the result is dropped before this mapping.
    pub unsafe fn prepare_replacement(
        &self,
        index: usize,
        copy: MappedPages<Writable>,
    ) -> Result<Replacement, Refused<Writable>> {
        let Some(page) = self.pages().get(index) else {
            let error = MapError::Pages(pages::PagesError::OutOfBounds);
            return Err(Refused { mapping: copy, error });
        };
        prepare(page, copy)
    }
}

fn prepare(page: Page, copy: MappedPages<Writable>) -> Result<Replacement, Refused<Writable>> {
    // See `MappedPages`: the copy's page has no owner for a moment.
    let _whole = PreemptGuard::new();
    let old = page_tables::read(&Processor, ACTIVE, page);
    let copied = page_tables::read(&Processor, ACTIVE, copy.pages().first());
    if copy.pages().count() != 1 || !copied.is_owned() || !old.is_owned() {
        return Err(Refused { mapping: copy, error: MapError::NotAsExpected(page) });
    }
    let purpose = copy.purpose();
    match range::detach(copy.pages()) {
        Ok(()) => {
            let _pages = copy.into_pages();
            let new = old.with_frame(copied.frame());
            Ok(Replacement { page, entry: ACTIVE.entry(1, page), old, new, purpose })
        }
        Err(timeout) => Err(Refused { mapping: copy, error: timeout.into() }),
    }
}

impl Replacement {
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

impl Drop for Replacement {
    fn drop(&mut self) {
        let replaced = self.is_replaced();
        let spare = if replaced { self.old.frame() } else { self.new.frame() };
        if shootdown::forget(self.page.as_range()).is_err() {
            // Some CPU may still use the spare frame, and no page names it any more: it stays out of use.
            return;
        }
        // Whichever frame it is: the mapping counts its page under its own purpose, the copy was counted under this one.
        // SAFETY: the frame was put down by one of the two mappings, and no entry names it.
        drop(unsafe { AllocatedFrames::from_range(spare.as_range(), self.purpose) });
    }
}
