//! Looking for references until replaced cells can go.
//!
//! A scan stops all CPUs, so there are few: the pause between two grows. Before each, waiting tasks are woken, so that
//! they park again in the new text.

use alloc::vec::Vec;
use core::time::Duration;

use reclaim::RetiredCell;
use stop_machine::StopMachineError;
use task::{Builder, Priority, SpawnError};
use task_core::Machinery;
use wait_queue::{WaitQueue, wait_for};

use crate::{STOP_LIMIT, alone};

/// Between the first two scans: what is mostly waited for is that a preempted task gets its turn.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause of somebody who waits for the end, and of the task in the background.
const LONGEST_PAUSE: Duration = Duration::from_millis(160);
const LONGEST_PAUSE_IN_BACKGROUND: Duration = Duration::from_secs(5);

/// Frees replaced cells that nothing refers to any more. Waits `limit` at most for those that are in use; returns those
/// that are left. Blocks; the caller must be a task.
#[must_use]
pub fn reclaim_within(limit: Duration) -> Vec<RetiredCell> {
    below_callers(|floor| settle(floor, limit))
}

/// Runs `work` with the place on this stack below which everything is the engine's own. Above it are the frames of all
/// callers, and the registers in which they may keep what they have nowhere else.
#[inline(never)]
pub(crate) fn below_callers<R>(work: impl FnOnce(u64) -> R) -> R {
    let (mut work, mut result) = (Some(work), None);
    stop_machine::with_registers_on_stack(&mut || {
        let here = 0_u64;
        result = work.take().map(|work| work((&raw const here).addr() as u64));
    });
    match result {
        Some(result) => result,
        None => unreachable!("what saves the registers calls its argument once"),
    }
}

/// As [`reclaim_within`]; what lies below `floor` on the caller's stack is not looked at.
pub(crate) fn settle(floor: u64, limit: Duration) -> Vec<RetiredCell> {
    let deadline = clock::now() + limit;
    let mut pause = FIRST_PAUSE;
    loop {
        collect(floor);
        let left = reclaim::retired_cells();
        if left.is_empty() || clock::now() >= deadline {
            return left;
        }
        make_way(pause);
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Where the task in the background waits for replaced cells.
static REPLACED: WaitQueue = WaitQueue::new();

// SAFETY: this cell only has a task that is not to end; it changes none.
const RIGHT: Machinery = unsafe { Machinery::new() };

/// Begins to free in the background what others leave: those who have no patience, and those who are ended or lost while they
/// wait.
pub(crate) fn begin() -> Result<(), SpawnError> {
    Builder::new().name("reclaim").priority(Priority::INTERACTIVE).spawn_essential(RIGHT, in_the_background)
}

/// Says that cells have been replaced.
pub(crate) fn announce() {
    REPLACED.wake_all();
}

fn in_the_background() {
    loop {
        wait_for(&REPLACED, || reclaim::is_needed().then_some(()));
        below_callers(|floor| {
            // Whoever has replaced the cells is at it, too, for a while.
            let mut pause = LONGEST_PAUSE;
            while reclaim::is_needed() {
                make_way(pause);
                pause = (2 * pause).min(LONGEST_PAUSE_IN_BACKGROUND);
                collect(floor);
            }
        });
        log::debug!("all replaced cells are freed");
    }
}

/// Gives everybody time to leave old text.
fn make_way(pause: Duration) {
    // Whoever waits would stand where he waits for ever.
    for waiting in task_core::all() {
        wait_queue::kick(&waiting);
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
    let outcome = stop_machine::hold(STOP_LIMIT, &note, || {
        let stopped = clock::now();
        scan.run(&frames, floor);
        stopped.elapsed()
    });
    match outcome {
        Ok(time) => {
            let freed = scan.finish();
            log::debug!("looked for references: CPUs stood for {time:?}, {freed} cells freed");
            for retired_cell in reclaim::retired_cells() {
                log::debug!("replaced cell {} is held by {}", retired_cell.cell, retired_cell.holder);
            }
        }
        // Somebody else will be done soon, and there will be another scan.
        Err(StopMachineError::Busy) => {}
        Err(error) => log::warn!("no scan for references: {error}"),
    }
}
