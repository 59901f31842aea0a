//! Making every CPU forget a range, and what happens if one does not answer.

use core::fmt;

use addresses::PageRange;
use cpu_local::{CpuSet, PreemptGuard};
use frames::Purpose;
use spin_lock::SpinLock;

use crate::{hardware, range};

/// Some CPUs did not say in time that they have forgotten a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShootdownTimeout {
    /// Which CPUs.
    pub silent: CpuSet,
}

impl fmt::Display for ShootdownTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer to a TLB shootdown from CPUs {:#b}", self.silent.bits())
    }
}

impl core::error::Error for ShootdownTimeout {}

/// Makes all *other* CPUs forget the range, and returns when they have; waits at most a bounded time.
pub type Shootdown = fn(PageRange) -> Result<(), ShootdownTimeout>;

static HOOK: spin::Once<Shootdown> = spin::Once::new();

/// Registers how the other CPUs are told. Before, there are no others.
pub fn set_shootdown(hook: Shootdown) {
    HOOK.call_once(|| hook);
}

/// Makes all CPUs forget the range.
pub(crate) fn forget(pages: PageRange) -> Result<(), ShootdownTimeout> {
    // "This CPU" and "the others" must mean the same until all have been told.
    let _stay = PreemptGuard::new();
    hardware::forget_here(pages);
    match HOOK.get() {
        Some(hook) if !pages.is_empty() => hook(pages),
        _ => Ok(()),
    }
}

/// Ranges in quarantine. A CPU that is silent for seconds is lost; there will not be many before the system ends.
const PLACES: usize = 64;

struct Quarantine {
    places: [Option<PageRange>; PLACES],
    /// Pages of ranges for which there was no place: out of use for ever.
    lost: usize,
}

static QUARANTINE: SpinLock<Quarantine> = SpinLock::new(Quarantine { places: [None; PLACES], lost: 0 });

/// Keeps the withheld range out of use. Its frames are counted for `purpose` until now.
pub(crate) fn quarantine(pages: PageRange, purpose: Purpose) {
    if pages.is_empty() {
        return;
    }
    frames::recount(range::owned_frames(pages), purpose, Purpose::Quarantine);
    keep(pages);
}

fn keep(pages: PageRange) {
    let mut quarantine = QUARANTINE.lock();
    match quarantine.places.iter_mut().find(|place| place.is_none()) {
        Some(place) => *place = Some(pages),
        None => quarantine.lost += pages.count(),
    }
}

/// How many pages are in quarantine now.
pub fn quarantined() -> usize {
    let quarantine = QUARANTINE.lock();
    let kept: usize = quarantine.places.iter().flatten().map(PageRange::count).sum();
    kept + quarantine.lost
}

/// Asks the CPUs again about each range in quarantine, and frees those that all have forgotten. Returns how many pages
/// came back.
pub fn retry_quarantine() -> usize {
    let mut freed = 0;
    for index in 0..PLACES {
        let Some(pages) = QUARANTINE.lock().places[index].take() else { continue };
        if forget(pages).is_err() {
            // Who is silent now is so for the rest, too: one wait is enough.
            keep(pages);
            break;
        }
        range::free_withheld(pages, Purpose::Quarantine);
        // SAFETY: the range was put down when it came into quarantine, and its place is empty now.
        drop(unsafe { pages::AllocatedPages::from_range(pages) });
        freed += pages.count();
    }
    freed
}
