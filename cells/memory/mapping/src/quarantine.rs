//! Ranges that a silent CPU may still remember: they stay out of use until all CPUs have forgotten them.

use addresses::PageRange;
use spin_lock::SpinLock;

/// Ranges in quarantine. A CPU that is silent for seconds is lost; there will not be many before the system ends.
pub(crate) const PLACES: usize = 64;

struct Quarantine {
    places: [Option<PageRange>; PLACES],
    /// Pages of ranges for which there was no place: out of use for ever.
    lost: usize,
}

static QUARANTINE: SpinLock<Quarantine> = SpinLock::new(Quarantine { places: [None; PLACES], lost: 0 });

/// Keeps a withheld range out of use.
pub(crate) fn keep(pages: PageRange) {
    let mut quarantine = QUARANTINE.lock();
    match quarantine.places.iter_mut().find(|place| place.is_none()) {
        Some(place) => *place = Some(pages),
        None => quarantine.lost += pages.count(),
    }
}

/// Takes the range at a place, below [`PLACES`], out of the list.
pub(crate) fn take(place: usize) -> Option<PageRange> {
    QUARANTINE.lock().places[place].take()
}

/// How many pages are in quarantine now.
pub fn quarantined() -> usize {
    let quarantine = QUARANTINE.lock();
    let kept: usize = quarantine.places.iter().flatten().map(PageRange::count).sum();
    kept + quarantine.lost
}
