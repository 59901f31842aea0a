//! Looking for references until replaced cells can go.
//!
//! A scan stops all CPUs, so there are few: the pause between two grows. Before each, waiting tasks are woken, so that
//! they park again in the new text.

use alloc::vec::Vec;
use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use mutex::Poisoned;
use reclaim::Zombie;
use standstill::StandstillError;
use task::{Builder, Priority};

use crate::{NAMESPACE, STOP_LIMIT};

/// Between the first two scans: what is mostly waited for is that a preempted task gets its turn.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause of somebody who waits for the end, and of the task in the background.
const LONGEST_PAUSE: Duration = Duration::from_millis(160);
const LONGEST_PAUSE_IN_BACKGROUND: Duration = Duration::from_secs(5);

/// Whether the task in the background is there.
static AT_WORK: AtomicBool = AtomicBool::new(false);

/// Frees replaced cells that nothing refers to any more. Waits `limit` at most for those that are in use; returns those
/// that are left. Blocks; the caller must be a task.
#[inline(never)]
#[must_use]
pub fn reclaim_within(limit: Duration) -> Vec<Zombie> {
    let here = 0_u64;
    settle((&raw const here).addr() as u64, limit)
}

/// As [`reclaim_within`]; what lies below `floor` on the caller's stack is not looked at.
pub(crate) fn settle(floor: u64, limit: Duration) -> Vec<Zombie> {
    let deadline = clock::now() + limit;
    let mut pause = FIRST_PAUSE;
    loop {
        collect(floor);
        let left = reclaim::zombies();
        if left.is_empty() || clock::now() >= deadline {
            return left;
        }
        make_way(pause);
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Has the rest freed in the background as soon as that is possible.
pub(crate) fn go_on_later() {
    if AT_WORK.swap(true, Ordering::AcqRel) {
        return;
    }
    let at_work = AtWork;
    match Builder::new().name("reclaim").priority(Priority::INTERACTIVE).spawn(move || free_the_rest(at_work)) {
        Ok(task) => drop(task.detach()),
        Err(error) => log::warn!("replaced cells stay until the next swap: {error}"),
    }
}

/// However the task ends, another one may come.
struct AtWork;

impl Drop for AtWork {
    fn drop(&mut self) {
        AT_WORK.store(false, Ordering::Release);
    }
}

/// What the task in the background does.
fn free_the_rest(at_work: AtWork) {
    let here = 0_u64;
    let floor = (&raw const here).addr() as u64;
    let mut pause = LONGEST_PAUSE;
    while !reclaim::zombies().is_empty() {
        make_way(pause);
        pause = (2 * pause).min(LONGEST_PAUSE_IN_BACKGROUND);
        collect(floor);
    }
    log::info!("all replaced cells are freed");
    drop(at_work);
    // A swap that was done just before this found a task at work, which has looked for the last time.
    if !reclaim::zombies().is_empty() {
        go_on_later();
    }
}

/// Gives everybody time to leave old text.
fn make_way(pause: Duration) {
    // Whoever waits would stand where he waits for ever.
    for waiting in task_core::all() {
        wait_queue::evict(&waiting);
    }
    task::sleep(pause);
}

/// One scan.
fn collect(floor: u64) {
    let _alone = NAMESPACE.lock().unwrap_or_else(Poisoned::into_inner);
    let Some(mut scan) = reclaim::Scan::prepare() else { return };
    let frames = scan.frames();
    let note = |task, address| {
        frames.note(task, address);
        false
    };
    let outcome = standstill::hold(STOP_LIMIT, &note, || {
        let stopped = clock::now();
        scan.run(&frames, floor);
        stopped.elapsed()
    });
    match outcome {
        Ok(time) => {
            let freed = scan.finish();
            log::debug!("looked for references: CPUs stood for {time:?}, {freed} cells freed");
            for zombie in reclaim::zombies() {
                log::debug!("replaced cell {} is held by {}", zombie.cell, zombie.holder);
            }
        }
        // Somebody else will be done soon, and there will be another scan.
        Err(StandstillError::Busy) => {}
        Err(error) => log::warn!("no scan for references: {error}"),
    }
}
