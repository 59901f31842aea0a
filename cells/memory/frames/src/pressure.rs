//! The last attempt before memory is declared to have run out.

use core::sync::atomic::{AtomicBool, Ordering};

use hook::Hook;

/// Gives up spare frames: those of caches. Says how many came back. It takes only locks that no caller of
/// [`crate::allocate`] holds, and allocates no frames. Before the hook is set there are no caches.
pub static SPARE_FRAMES: Hook<fn() -> usize> = Hook::new(|| 0);

static RUNNING: AtomicBool = AtomicBool::new(false);

/// Asks the caches for spare frames; returns how many came back. Does nothing while another CPU asks, or when a cache
/// itself runs out.
pub fn reclaim() -> usize {
    if RUNNING.swap(true, Ordering::Acquire) {
        return 0;
    }
    // A cache that panics must not shut the others out for ever.
    let _finish = Finish;
    SPARE_FRAMES.get()()
}

struct Finish;

impl Drop for Finish {
    fn drop(&mut self) {
        RUNNING.store(false, Ordering::Release);
    }
}
