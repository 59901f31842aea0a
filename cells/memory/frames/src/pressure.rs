//! What happens before memory is declared to have run out.

use core::sync::atomic::{AtomicBool, Ordering};

use spin_lock::SpinLock;

/// Those who keep frames in reserve are few: the pool of stacks, the heap's tail, caches of file systems.
const RECLAIMERS: usize = 8;

type Reclaimer = fn() -> usize;

static LIST: SpinLock<[Option<Reclaimer>; RECLAIMERS]> = SpinLock::new([None; RECLAIMERS]);
static RUNNING: AtomicBool = AtomicBool::new(false);

/// Registers a function that gives up spare frames and says how many. It may take only locks that nobody holds while
/// calling [`crate::allocate`], and must not allocate frames.
///
/// # Panics
/// If there are more of them than the list has places: it is as long as the boot needs it.
pub fn register_reclaimer(reclaimer: Reclaimer) {
    let mut list = LIST.lock();
    match list.iter_mut().find(|place| place.is_none()) {
        Some(place) => *place = Some(reclaimer),
        None => panic!("no place for a {}th reclaimer of frames", list.len() + 1),
    }
}

/// Asks everybody for spare frames; returns how many came back. Does nothing while another CPU is at it, or when a
/// reclaimer itself runs out.
pub fn reclaim() -> usize {
    if RUNNING.swap(true, Ordering::Acquire) {
        return 0;
    }
    // A reclaimer that panics must not shut the others out for ever.
    let _finish = Finish;
    let list = *LIST.lock();
    list.into_iter().flatten().map(|reclaimer| reclaimer()).sum()
}

struct Finish;

impl Drop for Finish {
    fn drop(&mut self) {
        RUNNING.store(false, Ordering::Release);
    }
}
