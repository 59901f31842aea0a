//! A page table entry that changes after a swap has read it and before the swap takes effect.
//!
//! A task that stays in the cell which is to be replaced holds the swap up. The engine has it go back to the loop in which it
//! waits, which shows that everything is prepared; then the entries change, and the task leaves.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use addresses::{PageRange, VirtAddr};
use evolution::SwapError;
use page_tables::Window;
use self_check::{CheckError, Companion, Outcome, eventually, holds};
use wait_queue::WaitQueue;

use crate::{OWN, none_left};

/// The cell that is replaced.
const SUBJECT: &str = "subject";

/// Where the task waits.
static DOOR: WaitQueue = WaitQueue::new();
static OPEN: AtomicBool = AtomicBool::new(false);
/// How often the task has found the door shut.
static TRIES: AtomicU32 = AtomicU32::new(0);

pub(crate) fn remapped() -> Outcome {
    let before = namespace::sizes();
    OPEN.store(false, Ordering::Release);
    TRIES.store(0, Ordering::Release);
    let opener = Opener;
    let guest: Companion<_> = task::spawn("guest", || subject::stay(&mut wait_at_door))?.into();
    eventually("the guest waits", || TRIES.load(Ordering::Acquire) > 0)?;
    let swapper: Companion<_> = task::spawn("swapper", || evolution::reload(SUBJECT))?.into();
    eventually("the guest is asked to leave", || TRIES.load(Ordering::Acquire) > 1)?;
    let altered = Altered::own_text()?;
    drop(opener);
    let outcome = swapper.join()?;
    drop(altered);
    guest.join()?;
    match outcome {
        Err(SwapError::Changed) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(CheckError::NotRefused("exchanging an entry that was changed meanwhile")),
    }
    holds("there are as many stubs and names as before", namespace::sizes() == before)?;
    let report = evolution::reload(SUBJECT)?;
    holds("the next swap exchanges the entries", report.patched_pages > 0)?;
    none_left()
}

fn wait_at_door() -> bool {
    wait_queue::wait_for(&DOOR, || {
        TRIES.fetch_add(1, Ordering::AcqRel);
        OPEN.load(Ordering::Acquire).then_some(())
    });
    true
}

/// Lets the task go when it is dropped.
struct Opener;

impl Drop for Opener {
    fn drop(&mut self) {
        OPEN.store(true, Ordering::Release);
        DOOR.wake_all();
    }
}

/// A bit of an entry that maps a page, to which neither the processor nor the memory manager gives a meaning.
const MEANINGLESS: u64 = 1 << 11;

/// While it lives, the entries of this cell's text are other words than before. The pages are the same.
struct Altered(PageRange);

impl Altered {
    fn own_text() -> Result<Self, CheckError> {
        let [text, ..] = namespace::cell(OWN).ok_or(CheckError::Missing("this cell"))?.segments;
        let bytes = usize::try_from(text.end - text.start)?;
        let pages = PageRange::covering(VirtAddr::new_truncate(text.start), bytes);
        let altered = Self(pages.ok_or(CheckError::Missing("text of this cell"))?);
        altered.flip();
        Ok(altered)
    }

    fn flip(&self) {
        for page in self.0.iter() {
            let entry = Window::ACTIVE.entry(1, page);
            // SAFETY: the page is text of this cell, which runs here: so it is mapped, by a table, which is seen there. The
            // processor sets bits of the entry by atomic accesses, too; the one that changes here has no meaning.
            unsafe { &*entry.as_ptr::<AtomicU64>() }.fetch_xor(MEANINGLESS, Ordering::AcqRel);
        }
    }
}

impl Drop for Altered {
    fn drop(&mut self) {
        self.flip();
    }
}
