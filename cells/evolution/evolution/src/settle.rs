//! Looking for references until replaced cells can go.
//!
//! A scan stops all CPUs, so there are few: the pause between two grows. Before each, waiting tasks are woken, so that
//! they park again in the new text.

use alloc::vec::Vec;
use core::time::Duration;

use mutex::{Mutex, TryLockError};
use reclaim::Zombie;
use standstill::StandstillError;
use task::{Builder, Priority};

use crate::{STOP_LIMIT, alone};

/// Between the first two scans: what is mostly waited for is that a preempted task gets its turn.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause of somebody who waits for the end, and of the task in the background.
const LONGEST_PAUSE: Duration = Duration::from_millis(160);
const LONGEST_PAUSE_IN_BACKGROUND: Duration = Duration::from_secs(5);

/// Held by the task in the background as long as it works. A lock, since that is released also if the task is lost.
static AT_WORK: Mutex<()> = Mutex::new(());

/// Frees replaced cells that nothing refers to any more. Waits `limit` at most for those that are in use; returns those
/// that are left. Blocks; the caller must be a task.
#[must_use]
pub fn reclaim_within(limit: Duration) -> Vec<Zombie> {
    below_callers(|floor| settle(floor, limit))
}

/// Runs `work` with the place on this stack below which everything is the engine's own. Above it are the frames of all
/// callers, and the registers in which they may keep what they have nowhere else.
#[inline(never)]
pub(crate) fn below_callers<R>(work: impl FnOnce(u64) -> R) -> R {
    let (mut work, mut result) = (Some(work), None);
    standstill::with_registers_on_stack(&mut || {
        let here = 0_u64;
        result = work.take().map(|work| work((&raw const here).addr() as u64));
    });
    match result {
        Some(result) => result,
        None => unreachable!("what saves the registers calls its argument once"),
    }
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
    if AT_WORK.holder().is_some() {
        return;
    }
    match Builder::new().name("reclaim").priority(Priority::INTERACTIVE).spawn(free_the_rest) {
        Ok(task) => drop(task.detach()),
        Err(error) => log::warn!("replaced cells stay until the next swap: {error}"),
    }
}

/// What the task in the background does.
fn free_the_rest() {
    let at_work = match AT_WORK.try_lock() {
        Ok(at_work) => at_work,
        Err(TryLockError::Poisoned(at_work)) => at_work.into_inner(),
        Err(TryLockError::WouldBlock) => return,
    };
    below_callers(|floor| {
        let mut pause = LONGEST_PAUSE;
        while !reclaim::zombies().is_empty() {
            make_way(pause);
            pause = (2 * pause).min(LONGEST_PAUSE_IN_BACKGROUND);
            collect(floor);
        }
    });
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
    let _alone = alone();
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
