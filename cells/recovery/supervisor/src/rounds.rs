//! The supervisor's task.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use clock::Instant;
use wait_queue::WaitQueue;

use crate::group::Running;
use crate::groups;

/// How soon after a notice to look for the end that it spoke of; the pause doubles until it is as long as that between
/// two looks for deadlocks. What ends promptly is found promptly, and a destructor that takes its time costs little.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// Somebody is about to end.
static NOTICED: AtomicBool = AtomicBool::new(false);
static WAKE: WaitQueue = WaitQueue::new();

pub(crate) fn notify() {
    NOTICED.store(true, Ordering::Release);
    WAKE.wake_one();
}

pub(crate) fn run() {
    let mut pause = watchdog::LOOK_INTERVAL;
    let mut next_watch = clock::now();
    loop {
        pause =
            if NOTICED.swap(false, Ordering::AcqRel) { FIRST_PAUSE } else { (pause * 2).min(watchdog::LOOK_INTERVAL) };
        let next_start = look();
        let now = clock::now();
        if now >= next_watch {
            watchdog::look_for_deadlocks();
            next_watch = now + watchdog::LOOK_INTERVAL;
        }
        let next_look = next_watch.min(now + pause);
        let until = next_start.map_or(next_look, |start| start.min(next_look));
        wait_queue::wait_for_until(&WAKE, until, || NOTICED.load(Ordering::Acquire).then_some(()));
    }
}

/// Looks at all groups once: when the next child is to be started.
fn look() -> Option<Instant> {
    let mut groups = groups();
    groups.running.iter_mut().for_each(Running::round);
    groups.running.iter().filter_map(Running::next_start).min()
}
