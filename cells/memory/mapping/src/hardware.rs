//! The processor as the machine of `page_tables`.

use core::sync::atomic::{AtomicU64, Ordering};

use addresses::{PAGE_SIZE, Page, PageRange, VirtAddr};
use frames::Purpose;
use page_tables::{Entry, Machine, Rights, Window};
use spin_lock::SpinLock;

/// The tables that the processor uses.
pub(crate) const ACTIVE: Window = Window::ACTIVE;

/// Held while a table is made. Inside: the page through which a frame is cleared before it becomes a table, so that no
/// CPU ever walks through the frame's former content.
static TABLE_MAKING: SpinLock<Option<Page>> = SpinLock::new(None);

/// Gives table making its page. The page's own tables exist already.
pub(crate) fn set_clearing_page(page: Page) {
    *TABLE_MAKING.lock() = Some(page);
}

/// The processor this runs on.
pub(crate) struct Processor;

impl Machine for Processor {
    #[inline]
    fn load(&self, entry: VirtAddr) -> Entry {
        Entry::from_bits(cell(entry).load(Ordering::Relaxed))
    }

    #[inline]
    fn store(&self, entry: VirtAddr, value: Entry) {
        cell(entry).store(value.bits(), Ordering::Release);
    }

    fn install_table(&self, entry: VirtAddr) -> bool {
        let clearing = TABLE_MAKING.lock();
        if self.load(entry).is_present() {
            return true;
        }
        let Some(page) = *clearing else { return false };
        let Ok(table) = frames::try_allocate(1, Purpose::PageTables) else { return false };
        let alias = ACTIVE.entry(1, page);
        self.store(alias, Entry::leaf(table.range().first(), Rights::Writable, false));
        forget_page(page);
        // SAFETY: the page is this lock's alone and now shows a frame that has no other owner.
        unsafe { page.start().as_mut_ptr::<u8>().write_bytes(0, PAGE_SIZE) };
        self.store(alias, Entry::EMPTY);
        forget_page(page);
        self.store(entry, Entry::table(table.into_range().first()));
        true
    }
}

/// From so many pages on, forgetting everything costs less than forgetting them one by one.
const MAX_SINGLE_PAGES: usize = 64;

/// Makes this CPU, and no other, forget its translations of the pages.
pub fn forget_here(pages: PageRange) {
    if pages.count() > MAX_SINGLE_PAGES {
        // No entry is global, so loading CR3 forgets all.
        x86_64::instructions::tlb::flush_all();
    } else {
        pages.iter().for_each(forget_page);
    }
}

fn forget_page(page: Page) {
    x86_64::instructions::tlb::flush(page.start());
}

/// The entry as an atomic: the processor itself sets accessed and dirty bits.
#[inline]
fn cell(entry: VirtAddr) -> &'static AtomicU64 {
    // SAFETY: `page_tables` computes addresses in the recursive window only, and asks for an entry only when the tables
    // above it are present; tables are never freed.
    unsafe { &*entry.as_ptr::<AtomicU64>() }
}
