//! The work of [`crate::MappedPages`], without its type parameter, so that no other cell gets copies of it.

use core::mem::ManuallyDrop;

use addresses::{Frame, FrameRange, PageRange};
use cpu_local::PreemptGuard;
use frames::{AllocatedFrames, FramesError, Purpose};
use page_tables::{Entry, Rights, TableError};
use pages::AllocatedPages;

use crate::hardware::{ACTIVE, Processor};
use crate::{MapError, ShootdownTimeout, quarantine, shootdown};

/// Maps frames that the caller owns; afterwards the mapping owns them.
pub(crate) fn map(
    pages: PageRange,
    frames: AllocatedFrames,
    rights: Rights,
    present: bool,
) -> Result<Purpose, TableError> {
    page_tables::map(&Processor, ACTIVE, pages, frames.range(), rights, true)?;
    let purpose = frames.purpose();
    frames.into_range();
    if !present {
        page_tables::withhold(&Processor, ACTIVE, pages);
    }
    Ok(purpose)
}

/// Maps fresh frames, in as few runs as there are. `patient`: others may be asked for their spare frames.
pub(crate) fn fill(
    pages: AllocatedPages,
    rights: Rights,
    present: bool,
    purpose: Purpose,
    patient: bool,
) -> Result<AllocatedPages, MapError> {
    // A request that cannot succeed must not take all memory first, and make others fail.
    let count = pages.count();
    if frames::free() < count && !(patient && frames::reclaim() > 0 && frames::free() >= count) {
        return Err(FramesError::OutOfMemory { count }.into());
    }
    // Pages that are mapped are not free, also if the task is unwound half way: then they are lost.
    let pages = ManuallyDrop::new(pages);
    let mut done = 0;
    let mut run = count;
    while let Some((_, rest)) = pages.range().split_at(done).filter(|(_, rest)| !rest.is_empty()) {
        run = run.min(rest.count());
        let mapped = match frames::try_allocate(run, purpose) {
            Err(FramesError::OutOfMemory { .. }) if run > 1 => {
                run /= 2;
                continue;
            }
            Err(FramesError::OutOfMemory { .. }) if patient && frames::reclaim() > 0 => continue,
            Err(error) => Err(error.into()),
            Ok(frames) => {
                let (part, _) = rest.split_at(run).unwrap_or((rest, rest));
                let _whole = PreemptGuard::new();
                map(part, frames, rights, present).map_err(MapError::from)
            }
        };
        if let Err(error) = mapped {
            abandon(ManuallyDrop::into_inner(pages), done, purpose);
            return Err(error);
        }
        done += run;
    }
    Ok(ManuallyDrop::into_inner(pages))
}

/// Frees pages of which only the first `mapped` are mapped.
fn abandon(pages: AllocatedPages, mapped: usize, purpose: Purpose) {
    let _whole = PreemptGuard::new();
    match pages.split(mapped) {
        Ok((head, _unmapped)) => release(head, purpose),
        Err(all) if mapped > 0 => release(all, purpose),
        Err(_unmapped) => {}
    }
}

/// Unmaps and frees pages and frames, now or when every CPU has forgotten them.
pub(crate) fn release(pages: AllocatedPages, purpose: Purpose) {
    if unmap(pages.range(), purpose).is_err() {
        keep_withheld(pages.into_range(), purpose);
    }
}

/// Puts a withheld range in quarantine. Its frames are counted for `purpose` until now.
pub(crate) fn keep_withheld(pages: PageRange, purpose: Purpose) {
    if !pages.is_empty() {
        frames::recount(owned_frames(pages), purpose, Purpose::Quarantine);
        quarantine::keep(pages);
    }
}

/// Asks the CPUs again about each range in quarantine, and frees those that all have forgotten. Returns how many pages
/// came back.
pub fn retry_quarantine() -> usize {
    let mut freed = 0;
    for place in 0..quarantine::PLACES {
        let Some(pages) = quarantine::take(place) else { continue };
        if shootdown::forget(pages).is_err() {
            // A CPU that is silent now is so for the rest, too: one wait is enough.
            quarantine::keep(pages);
            break;
        }
        free_withheld(pages, Purpose::Quarantine);
        // SAFETY: the range was put down when it came into quarantine, and its place is empty now.
        drop(unsafe { AllocatedPages::from_range(pages) });
        freed += pages.count();
    }
    freed
}

/// Takes the mapping away, waits until every CPU has forgotten it, and frees the frames that it owned. On failure
/// nothing can be reached any more, and nothing is free.
pub(crate) fn unmap(pages: PageRange, purpose: Purpose) -> Result<(), ShootdownTimeout> {
    page_tables::withhold(&Processor, ACTIVE, pages);
    shootdown::forget(pages)?;
    free_withheld(pages, purpose);
    Ok(())
}

/// Takes the mapping away as [`unmap`] does, but keeps the frames taken: `each` is given the entry of every mapped page, in
/// order, and answers for the frame. On failure everything is as before.
pub(crate) fn detach(pages: PageRange, each: &mut dyn FnMut(Entry)) -> Result<(), ShootdownTimeout> {
    page_tables::withhold(&Processor, ACTIVE, pages);
    let outcome = shootdown::forget(pages);
    match outcome {
        Ok(()) => page_tables::take(&Processor, ACTIVE, pages, |_, entry| each(entry)),
        Err(_) => page_tables::reveal(&Processor, ACTIVE, pages),
    }
    outcome
}

/// Frees the frames behind withheld pages that no CPU remembers.
pub(crate) fn free_withheld(pages: PageRange, purpose: Purpose) {
    let mut run: Option<FrameRange> = None;
    page_tables::take(&Processor, ACTIVE, pages, |_, entry| {
        if !entry.is_owned() {
            return;
        }
        let frame = entry.frame();
        run = match run.and_then(|run| run.join(&frame.as_range())) {
            Some(longer) => Some(longer),
            None => {
                free_run(run, purpose);
                Some(frame.as_range())
            }
        };
    });
    free_run(run, purpose);
}

/// How many of the mapped or withheld pages own their frames.
pub(crate) fn owned_frames(pages: PageRange) -> usize {
    pages.iter().filter(|page| page_tables::read(&Processor, ACTIVE, *page).is_owned()).count()
}

fn free_run(run: Option<FrameRange>, purpose: Purpose) {
    if let Some(run) = run {
        // SAFETY: the entries just taken away owned these frames, for this purpose.
        drop(unsafe { AllocatedFrames::from_range(run, purpose) });
    }
}

/// Gives the pages other rights on every CPU. On failure they are as before.
pub(crate) fn change(pages: PageRange, old: Rights, new: Rights) -> Result<(), ShootdownTimeout> {
    // Never from writable to executable in one step: a CPU that still remembers the page as writable could write to it
    // while another executes it.
    page_tables::withhold(&Processor, ACTIVE, pages);
    let outcome = shootdown::forget(pages);
    let rights = if outcome.is_ok() { new } else { old };
    page_tables::restrict(&Processor, ACTIVE, pages, rights);
    page_tables::reveal(&Processor, ACTIVE, pages);
    outcome
}

/// Moves the frames mapped at `from` to the unmapped pages `to`. On failure everything is as before.
pub(crate) fn transfer(from: PageRange, to: PageRange, rights: Rights) -> Result<(), MapError> {
    page_tables::withhold(&Processor, ACTIVE, from);
    let outcome = shootdown::forget(from)
        .map_err(MapError::from)
        .and_then(|()| Ok(page_tables::transfer(&Processor, ACTIVE, from, to, rights)?));
    if outcome.is_err() {
        page_tables::reveal(&Processor, ACTIVE, from);
    }
    outcome
}

/// Maps physical memory that the mapping does not own.
pub(crate) fn map_foreign(pages: PageRange, frames: FrameRange, rights: Rights) -> Result<(), TableError> {
    page_tables::map(&Processor, ACTIVE, pages, frames, rights, false)
}

/// Makes withheld pages accessible. Takes no lock.
pub(crate) fn reveal(pages: PageRange) {
    page_tables::reveal(&Processor, ACTIVE, pages);
}

/// Makes the processor fault on pages again.
pub(crate) fn hide(pages: PageRange) -> Result<(), ShootdownTimeout> {
    page_tables::withhold(&Processor, ACTIVE, pages);
    shootdown::forget(pages)
}

/// Marks pages as not written. No other CPU than this one may have written to them, and the caller stays on it.
pub(crate) fn mark_unwritten(pages: PageRange) {
    page_tables::mark_unwritten(&Processor, ACTIVE, pages);
    crate::forget_here(pages);
}

/// Whether a page has been written to since it was mapped, or marked.
pub(crate) fn is_written(pages: PageRange, index: usize) -> bool {
    pages.get(index).is_some_and(|page| page_tables::read(&Processor, ACTIVE, page).is_written())
}

/// The frame behind a mapped or withheld page.
pub(crate) fn frame_of(pages: PageRange, index: usize) -> Option<Frame> {
    let entry = page_tables::read(&Processor, ACTIVE, pages.get(index)?);
    (!entry.is_empty()).then(|| entry.frame())
}
