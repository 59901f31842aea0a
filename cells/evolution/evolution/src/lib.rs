//! Replaces cells while the system works.
//!
//! [`swap`] is a transaction in four phases:
//! 1. **prepare**, while everything runs: `replacement` loads the swap set beside the old cells, compares both versions and
//!    makes patched copies of every page that refers to the old ones;
//! 2. **quiesce**: `stop_machine` stops all CPUs for a moment and looks at every stack. If one stands in text that changes,
//!    everything goes on, the task is made to return from where it waits, and the phase begins again, until the deadline;
//! 3. **commit**: with all CPUs still stopped, state is handed over and the pivot exchanges page table entries and words;
//! 4. **reclaim**: the tables of the namespace are brought up to date, and the old cells to which nothing refers are freed; a task
//!    frees the others later, when it has looked again.
//!
//! Guarantees: an error before the exchange leaves everything as it was, state included; the exchange itself cannot fail,
//! and from there until the tables agree with it no step takes memory; code is never writable and executable. If the task of
//! a swap is ended or faults, wherever it is, the swap is given up, and the next one finds everything as it was. The report
//! says how long each phase took and which cells are left as retired cells.
#![no_std]

extern crate alloc;

mod error;
mod exchange;
mod namespace_lock;
mod reclaiming;

use alloc::{string::String, vec::Vec};
use core::{ops::Range, sync::atomic::Ordering, time::Duration};

use clock::Instant;
pub use error::SwapError;
pub use exchange::DEADLINE;
use exchange::{Exchanged, Plan};
use mutex::{Mutex, TryLockError};
use namespace::RetiredCell;
use namespace_lock::{HALF_DONE, lock_namespace};
pub use reclaiming::reclaim_within;
pub use replacement::Change;
use replacement::Goal;
use task::SpawnError;

entry_point::expected! {
    /// The type of the function by which a policy exports its tasks.
    EXPORT_STATE: state_transfer::Export
}

entry_point::expected! {
    /// The type of the function by which a policy imports tasks.
    IMPORT_STATE: state_transfer::Import
}

/// How long a swap waits for its old cells to be left. A task that was preempted in one leaves it when it runs the next time.
const TIMEOUT: Duration = Duration::from_millis(500);

/// How a swap went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The build that the system is now.
    pub build: String,
    /// The cells of which the build has other objects: they were replaced, or will be from another object when they start.
    pub changes: Vec<Change>,
    /// Pages of text and constants that were exchanged for patched copies.
    pub patched_pages: usize,
    /// How often the CPUs were stopped before the system was quiescent.
    pub attempts: u32,
    /// Time to load, compare and patch; everything ran.
    pub prepare: Duration,
    /// Time until the CPUs had stopped in a quiescent system.
    pub quiesce: Duration,
    /// Time from then until they went on: the pause that other tasks can notice.
    pub commit: Duration,
    /// Time to bring the tables up to date and to look for references to the old cells.
    pub reclaim: Duration,
    /// Replaced cells that something still refers to.
    pub retired_cells: Vec<RetiredCell>,
}

/// Held by the task that carries out a swap. A lock, because a lock is released also if its holder is lost.
static SWAP: Mutex<()> = Mutex::new(());
/// Makes swaps possible: once, when tasks run. `boot_stack` is the stack of the boot, which is not in use any more.
///
/// # Errors
/// The task that frees replaced cells in the background cannot be made.
///
/// # Safety
/// No reference lies in `boot_stack` that any code may still follow: a replaced cell that only such a word refers to is freed.
pub unsafe fn init(boot_stack: Range<u64>) -> Result<(), SpawnError> {
    // SAFETY: the caller's promise.
    unsafe { reclaim::set_boot_stack(boot_stack) };
    reclaiming::spawn_reclaimer()
}

/// Returns when the change that is being prepared or committed, if there is one, is done or given up: until then no cell
/// can be loaded. Blocks; the caller must be a task.
pub fn wait_for_swap() {
    drop(lock_namespace());
}

/// Changes the running system to the build called `name`: an alternate of the archive, or the base
/// ([`namespace::BASE`]). Blocks; the caller
/// must be a task.
///
/// # Errors
/// [`SwapError`] says in one line which cell or task refuses and why; everything is as it was.
pub fn swap(name: &str) -> Result<Report, SwapError> {
    reach(Goal::Build(name))
}

/// Replaces the loaded cell called `cell` by a fresh instance of itself, which none of its text survives. Blocks; the caller
/// must be a task, and not of that cell.
///
/// # Errors
/// [`SwapError`], as for [`swap`].
pub fn reload(cell: &str) -> Result<Report, SwapError> {
    reach(Goal::Fresh(cell))
}

fn reach(goal: Goal<'_>) -> Result<Report, SwapError> {
    let _swap = match SWAP.try_lock() {
        Ok(guard) => guard,
        Err(TryLockError::Poisoned(poisoned)) => {
            SWAP.clear_poison();
            poisoned.into_inner()
        }
        Err(TryLockError::WouldBlock) => return Err(SwapError::Busy),
    };
    reclaiming::below_callers(|floor| reach_above(floor, goal))
}

/// As [`reach`], by the task that has the lock; everything below `floor` on its stack belongs to the engine.
fn reach_above(floor: u64, goal: Goal<'_>) -> Result<Report, SwapError> {
    let Changed { build, changes, patched_pages, attempts, prepare, quiesce, commit, committed } = change_to(goal)?;
    let retired_cells = reclaiming::reclaim_above(floor, TIMEOUT);
    let report = Report {
        build,
        changes,
        patched_pages,
        attempts,
        prepare,
        quiesce,
        commit,
        reclaim: committed.elapsed(),
        retired_cells,
    };
    log::info!("swap {goal}: done, CPUs stood for {:?}, {} retired cells", report.commit, report.retired_cells.len());
    Ok(report)
}

/// The outcome of a change, and how long its phases took.
struct Changed {
    build: String,
    changes: Vec<Change>,
    patched_pages: usize,
    attempts: u32,
    prepare: Duration,
    quiesce: Duration,
    commit: Duration,
    committed: Instant,
}

/// The first three phases. The notes of the change, which name the old addresses, are gone when it returns.
#[inline(never)]
fn change_to(goal: Goal<'_>) -> Result<Changed, SwapError> {
    let _namespace = lock_namespace();
    if HALF_DONE.load(Ordering::Acquire) {
        return Err(SwapError::HalfDone);
    }
    let began = clock::now();
    let mut prepared = replacement::prepare(goal).map_err(SwapError::Prepare)?;
    let mut plan = Plan::new(&prepared)?;
    let build = match goal {
        Goal::Build(name) => String::from(name),
        Goal::Fresh(_) => namespace::current_build(),
    };
    let (changes, patched_pages) = (prepared.changes().to_vec(), prepared.patched_pages());
    let prepare = began.elapsed();
    log::info!("swap {goal}: {} cells prepared, {patched_pages} pages patched", prepared.swap_set());
    let Exchanged { attempts, quiesce, commit, committed, undisturbed } = plan.carry_out()?;
    // From the exchange to here no step takes memory: a task that is unwound between would free cells that are in use.
    // SAFETY: the words have been exchanged, and `_namespace` keeps others from giving the change up.
    unsafe { prepared.commit() };
    HALF_DONE.store(false, Ordering::Release);
    reclaiming::wake_reclaimer();
    drop(undisturbed);
    Ok(Changed { build, changes, patched_pages, attempts, prepare, quiesce, commit, committed })
}
