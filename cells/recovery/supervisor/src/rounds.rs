//! The rounds of supervision, and the notices that call for one.

use core::sync::atomic::{AtomicBool, Ordering};

use clock::Instant;
use wait_queue::WaitQueue;

use crate::group::Running;
use crate::groups;

/// A task is about to end.
static NOTICED: AtomicBool = AtomicBool::new(false);
static WAKE: WaitQueue = WaitQueue::new();

/// Tells the supervisor that a task, which may be one of its children, is about to end: it looks for it soon. Any context
/// may call this.
pub fn notify() {
    NOTICED.store(true, Ordering::Release);
    WAKE.wake_one();
}

/// Whether there was a notice since the last call.
pub fn take_notice() -> bool {
    NOTICED.swap(false, Ordering::AcqRel)
}

/// Waits for a notice, but not longer than until `deadline`.
pub fn wait_for_notice(deadline: Instant) {
    wait_queue::wait_for_until(&WAKE, deadline, || NOTICED.load(Ordering::Acquire).then_some(()));
}

/// Looks at all groups once: deals with children that have ended, and starts those that have waited out their pause. Gives
/// the time at which the next child is to be started.
pub fn round() -> Option<Instant> {
    let mut groups = groups();
    groups.running.iter_mut().for_each(Running::round);
    groups.running.iter().filter_map(Running::next_start).min()
}
