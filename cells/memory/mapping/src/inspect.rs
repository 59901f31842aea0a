//! Reading the tables. No lock is taken: tables stay, and entries are read whole.

use addresses::{Frame, Page, VirtAddr};
use page_tables::{Entry, Rights};

use crate::hardware::{ACTIVE, Processor};

/// One page as the tables have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The page.
    pub page: Page,
    /// The frame behind it.
    pub frame: Frame,
    /// The rights; `None` is writable and executable, which must not be.
    pub rights: Option<Rights>,
    /// Whether the processor uses it, or it is withheld.
    pub present: bool,
    /// Whether the mapping owns the frame.
    pub owned: bool,
}

impl Mapping {
    fn new(page: Page, entry: Entry) -> Self {
        Self {
            page,
            frame: entry.frame(),
            rights: entry.rights(),
            present: entry.is_present(),
            owned: entry.is_owned(),
        }
    }
}

/// The frame and the rights that the processor finds at the address. Never allocates, never waits.
pub fn translate(address: VirtAddr) -> Option<(Frame, Rights)> {
    let entry = page_tables::read(&Processor, ACTIVE, Page::containing(address));
    entry.rights().filter(|_| entry.is_present()).map(|rights| (entry.frame(), rights))
}

/// Calls `each` for every page that is mapped or withheld, in order. The page tables themselves are left out.
pub fn for_each_mapping(mut each: impl FnMut(Mapping)) {
    page_tables::for_each(&Processor, ACTIVE, |page, entry| each(Mapping::new(page, entry)));
}
