//! Looking for references until replaced cells can go.
//!
//! A scan stops all CPUs, so there are few: the pause between two grows. Before each, waiting tasks are woken, so that
//! they park again in the new text.

use alloc::vec::Vec;
use core::time::Duration;

use namespace::RetiredCell;
use stop_machine::StopMachineError;
use task::{Builder, Priority, SpawnError};
use task_core::EssentialCap;
use wait_queue::{WaitQueue, wait_for};

use crate::namespace_lock::{STOP_LIMIT, lock_namespace};

/// Between the first two scans: most often a preempted task must run once more.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause for a caller that waits, and for the task in the background.
const LONGEST_PAUSE: Duration = Duration::from_millis(160);
const LONGEST_PAUSE_IN_BACKGROUND: Duration = Duration::from_secs(5);

/// Frees replaced cells that nothing refers to any more. Waits `limit` at most for those that are in use; returns those
/// that are left. Blocks; the caller must be a task.
#[must_use]
pub fn reclaim_within(limit: Duration) -> Vec<RetiredCell> {
    below_callers(|floor| reclaim_above(floor, limit))
}

/// Runs `work` with the address on this stack below which everything is the engine's own. Above it are the frames of all
/// callers, and the registers in which they may keep values that they have nowhere else.
#[inline(never)]
pub(crate) fn below_callers<R>(work: impl FnOnce(u64) -> R) -> R {
    let (mut work, mut result) = (Some(work), None);
    stop_machine::with_registers_on_stack(&mut || {
        let here = 0_u64;
        result = work.take().map(|work| work((&raw const here).addr() as u64));
    });
    match result {
        Some(result) => result,
        None => unreachable!("the function that saves the registers calls its argument once"),
    }
}

/// As [`reclaim_within`]; the part of the caller's stack below `floor` is not looked at.
pub(crate) fn reclaim_above(floor: u64, limit: Duration) -> Vec<RetiredCell> {
    let deadline = clock::now() + limit;
    let mut pause = FIRST_PAUSE;
    loop {
        collect(floor);
        let left = namespace::retired_cells();
        if left.is_empty() || clock::now() >= deadline {
            return left;
        }
        pause_with_kicks(pause);
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Where the task in the background waits for replaced cells.
static REPLACED: WaitQueue = WaitQueue::new();

// SAFETY: without the task that frees replaced cells each swap would cost memory for good.
const ESSENTIAL: EssentialCap = unsafe { EssentialCap::new() };

/// Begins to free in the background the cells that other tasks leave: a caller may stop waiting, or be ended.
pub(crate) fn spawn_reclaimer() -> Result<(), SpawnError> {
    Builder::new().name("reclaim").priority(Priority::INTERACTIVE).spawn_essential(ESSENTIAL, in_the_background)
}

/// Says that cells have been replaced.
pub(crate) fn wake_reclaimer() {
    REPLACED.wake_all();
}

fn in_the_background() {
    loop {
        wait_for(&REPLACED, || namespace::any_retired().then_some(()));
        below_callers(|floor| {
            // The task that has replaced the cells looks for references too, for a while.
            let mut pause = LONGEST_PAUSE;
            while namespace::any_retired() {
                pause_with_kicks(pause);
                pause = (2 * pause).min(LONGEST_PAUSE_IN_BACKGROUND);
                collect(floor);
            }
        });
        log::debug!("all replaced cells are freed");
    }
}

/// Gives all tasks time to leave old text.
fn pause_with_kicks(pause: Duration) {
    // A waiting task that is not kicked stays in the text in which it waits.
    for waiting in task_core::all() {
        wait_queue::kick(&waiting);
    }
    task::sleep(pause);
}

/// One scan.
fn collect(floor: u64) {
    let _namespace = lock_namespace();
    let Some(mut scan) = reclaim::Scan::prepare() else { return };
    let frames = scan.frames();
    let note = |task, address| {
        frames.note(task, address);
        false
    };
    let outcome = stop_machine::hold(STOP_LIMIT, &note, || {
        let stopped = clock::now();
        // SAFETY: `hold` has stopped all other CPUs and shown every frame to `note`. Below `floor` there are only frames of this
        // crate and of its callees, which keep no reference to a replaced cell.
        let scanned = unsafe { scan.run(&frames, floor) };
        (scanned, stopped.elapsed())
    });
    match outcome {
        Ok((scanned, time)) => {
            let freed = scanned.finish();
            log::debug!("looked for references: CPUs stood for {time:?}, {freed} cells freed");
            for retired_cell in namespace::retired_cells() {
                log::debug!("replaced cell {} is held by {}", retired_cell.cell, retired_cell.holder);
            }
        }
        // The other stop will be over soon, and there will be another scan.
        Err(StopMachineError::Busy) => {}
        Err(error) => log::warn!("no scan for references: {error}"),
    }
}
