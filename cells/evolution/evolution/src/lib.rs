//! Replaces cells while the system works.
//!
//! [`swap`] is a transaction in four phases:
//! 1. **prepare**, while everything runs: `namespace::replace` loads the swap set beside what is there, compares both
//!    versions and makes patched copies of every page that refers to it;
//! 2. **quiesce**: `stop_machine` stops all CPUs for a moment and looks at every stack. If one stands in text that changes,
//!    everything goes on, the task is made to return from where it waits, and the phase begins again, until the deadline;
//! 3. **commit**: with all CPUs still stopped, state is handed over and the pivot exchanges page table entries and words;
//! 4. **reclaim**: the books are brought up to date, and what nothing refers to is freed; what is still in use then is
//!    freed by a task that looks again from time to time.
//!
//! Guarantees: an error before the exchange leaves everything as it was, state included; the exchange itself cannot fail,
//! and what follows until the books agree with it takes no memory; code is never writable and executable. A swap whose task
//! is ended or faults, wherever it is, is given up, and the next one finds everything as it was. The report says how long
//! each phase took and which cells are left as retired cells.
#![no_std]

extern crate alloc;

mod error;
mod settle;
mod state_transfer;

use alloc::{string::String, vec::Vec};
use core::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use clock::Instant;
use cpu_local::PreemptGuard;
pub use error::SwapError;
use mutex::{Mutex, MutexGuard, TryLockError};
pub use namespace::replace::{AlternateInfo, BASE, Change, alternates, current};
use namespace::replace::{Goal, Prepared, Unstable, Write};
use pivot::Exchange;
pub use reclaim::{Holder, Place, RetiredCell, retired_cells};
pub use settle::reclaim_within;
use stop_machine::StopMachineError;
use task::SpawnError;
use task_core::TaskId;

/// How long a swap tries to find the system quiescent.
pub const DEADLINE: Duration = Duration::from_secs(5);

entry_point::expected! {
    /// How a policy gives its tasks up.
    SURRENDER: ::state_transfer::Surrender
}

entry_point::expected! {
    /// How a policy takes tasks.
    ADOPT: ::state_transfer::Adopt
}

/// How long a CPU may take to stop: the host of a virtual machine may keep it waiting.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// Between two attempts, for tasks to leave what changes.
const PAUSE: Duration = Duration::from_millis(2);

/// How long a swap waits for its old cells to be left. Whoever was preempted in one leaves it when it runs the next time.
const TIMEOUT: Duration = Duration::from_millis(500);

/// How a swap went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The build that the system is now.
    pub build: String,
    /// The cells of which the build has other objects: they were replaced, or will be from another object when they start.
    pub changes: Vec<Change>,
    /// Pages of text and constants whose patched copies took their place.
    pub patched_pages: usize,
    /// How often the CPUs were stopped before the system was quiescent.
    pub attempts: u32,
    /// Time to load, compare and patch; everything ran.
    pub prepare: Duration,
    /// Time until the CPUs had stopped in a quiescent system.
    pub quiesce: Duration,
    /// Time from then until they went on: what anybody can notice.
    pub commit: Duration,
    /// Time to bring the books up to date and to look for references to the old cells.
    pub reclaim: Duration,
    /// Replaced cells that something still refers to.
    pub retired_cells: Vec<RetiredCell>,
}

/// Held by whoever carries out a swap. A lock, since that is released also if its holder is lost.
static SWAP: Mutex<()> = Mutex::new(());
/// Held by whoever prepares and commits a change, or looks for references: a cell must not be freed while a change that
/// patches it is ready to take effect.
static NAMESPACE: Mutex<()> = Mutex::new(());
/// Between the exchange and the entry in the books. Nothing but a fault of this very code can leave it set.
static HALF_DONE: AtomicBool = AtomicBool::new(false);

/// Makes evolution possible: once, when tasks run. `boot_stack` is the stack that nobody uses after the boot; what was
/// left there refers to nothing.
///
/// # Errors
/// The task that frees replaced cells in the background cannot be made.
pub fn init(boot_stack: Range<u64>) -> Result<(), SpawnError> {
    reclaim::set_boot_stack(boot_stack);
    stop_machine::init();
    settle::begin()
}

/// Returns when the change that is being prepared or committed, if there is one, is done or given up: until then no cell
/// can be loaded. Blocks; the caller must be a task.
pub fn wait_for_swap() {
    drop(alone());
}

/// Keeps others from preparing a change and from looking for references. If the last one who did so was lost, what it had
/// prepared is given up.
fn alone() -> MutexGuard<'static, ()> {
    NAMESPACE.lock().unwrap_or_else(|poisoned| {
        let guard = poisoned.into_inner();
        if !HALF_DONE.load(Ordering::Acquire) {
            namespace::replace::abandon();
        }
        NAMESPACE.clear_poison();
        guard
    })
}

/// Changes the running system to the build called `name`: an alternate of the archive, or [`BASE`]. Blocks; the caller
/// must be a task.
///
/// # Errors
/// [`SwapError`] says in one line what refuses and why; everything is as it was.
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
    let _turn = match SWAP.try_lock() {
        Ok(turn) => turn,
        Err(TryLockError::Poisoned(turn)) => {
            SWAP.clear_poison();
            turn.into_inner()
        }
        Err(TryLockError::WouldBlock) => return Err(SwapError::Busy),
    };
    settle::below_callers(|floor| reach_above(floor, goal))
}

/// As [`reach`], by whoever has the turn; what lies below `floor` on its stack belongs to the engine.
fn reach_above(floor: u64, goal: Goal<'_>) -> Result<Report, SwapError> {
    let Changed { build, changes, patched_pages, attempts, prepare, quiesce, commit, committed } = change_to(goal)?;
    let retired_cells = settle::settle(floor, TIMEOUT);
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

/// What a change has done, and how long it took.
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

/// The first three phases. The books of the change, which name the old addresses, are gone when it returns.
#[inline(never)]
fn change_to(goal: Goal<'_>) -> Result<Changed, SwapError> {
    let _alone = alone();
    if HALF_DONE.load(Ordering::Acquire) {
        return Err(SwapError::HalfDone);
    }
    let began = clock::now();
    let mut prepared = namespace::replace::prepare(goal).map_err(SwapError::Prepare)?;
    let mut plan = Plan::new(&prepared)?;
    let build = match goal {
        Goal::Build(name) => String::from(name),
        Goal::Fresh(_) => current(),
    };
    let (changes, patched_pages) = (prepared.changes().to_vec(), prepared.patched_pages());
    reclaim::make_room(prepared.swap_set()).map_err(|_| SwapError::Memory)?;
    let prepare = began.elapsed();
    log::info!("swap {goal}: {} cells prepared, {patched_pages} pages patched", prepared.swap_set());
    let Committed { attempts, quiesce, commit, committed, undisturbed } = plan.carry_out()?;
    // From the exchange to here nothing takes memory: a task that is unwound between would free cells that are in use.
    reclaim::retire(prepared.commit());
    HALF_DONE.store(false, Ordering::Release);
    settle::announce();
    drop(undisturbed);
    Ok(Changed { build, changes, patched_pages, attempts, prepare, quiesce, commit, committed })
}

/// A prepared change in the form that is needed while the CPUs stand still.
struct Plan {
    /// Page table entries.
    pages: Vec<Exchange>,
    /// Words of statics.
    words: Vec<Exchange>,
    /// Sorted by address.
    unstable: Vec<Unstable>,
    state_transfer: Option<state_transfer::Typed>,
}

/// The change was made, but not yet entered in the books.
struct Committed {
    attempts: u32,
    quiesce: Duration,
    commit: Duration,
    /// When the CPUs went on.
    committed: Instant,
    /// Keeps kills away until it is: a [`Prepared`] that is dropped half way would free what is in use.
    undisturbed: PreemptGuard,
}

impl Plan {
    fn new(prepared: &Prepared) -> Result<Self, SwapError> {
        let mut unstable = prepared.unstable().to_vec();
        unstable.sort_unstable_by_key(|text| text.range.start);
        let exchange = |write: &Write| Exchange {
            address: write.address,
            old: write.old,
            new: write.new,
            bytes: write.bytes as u64,
        };
        let state_transfers =
            prepared.state_transfers().iter().map(|(cell, functions)| state_transfer::Typed::new(cell, functions));
        Ok(Self {
            pages: prepared.page_entries().iter().map(exchange).collect(),
            words: prepared.words().iter().map(exchange).collect(),
            unstable,
            // There is one kind of state that can be handed over, hence one cell at most.
            state_transfer: state_transfers.collect::<Result<Vec<_>, _>>()?.pop(),
        })
    }

    /// Tries until the system is quiescent or the deadline has passed.
    fn carry_out(&mut self) -> Result<Committed, SwapError> {
        let began = clock::now();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let Self { pages, words, unstable, state_transfer } = self;
            state_transfer.as_mut().map_or(Ok(()), state_transfer::Typed::prepare)?;
            let unwanted = |_, address| text_at(unstable, address).is_some();
            let outcome = stop_machine::hold(STOP_LIMIT, &unwanted, || {
                let stopped = clock::now();
                commit(pages, words, state_transfer.as_mut()).map(|()| (stopped, PreemptGuard::new()))
            });
            match outcome {
                Ok(Ok((stopped, undisturbed))) => {
                    let committed = clock::now();
                    let (quiesce, commit) = (stopped - began, committed - stopped);
                    return Ok(Committed { attempts, quiesce, commit, committed, undisturbed });
                }
                Ok(Err(error)) => return Err(error),
                Err(error) if began.elapsed() >= DEADLINE => return Err(self.refusal(error)),
                Err(StopMachineError::Occupied { task: Some(task), .. }) => kick(task),
                Err(_) => {}
            }
            task::sleep(PAUSE);
        }
    }

    fn refusal(&self, error: StopMachineError) -> SwapError {
        match error {
            StopMachineError::Occupied { task, address } => match text_at(&self.unstable, address) {
                Some(text) => SwapError::Occupied {
                    task: task.map_or(0, TaskId::number),
                    cell: text.cell.clone(),
                    section: text.section.clone(),
                },
                None => SwapError::StopMachine(error),
            },
            error => SwapError::StopMachine(error),
        }
    }
}

/// The changing text around `address`; `unstable` is sorted and its ranges do not overlap.
fn text_at(unstable: &[Unstable], address: u64) -> Option<&Unstable> {
    let after = unstable.partition_point(|text| text.range.start <= address);
    let text = unstable.get(after.checked_sub(1)?)?;
    let range: &Range<u64> = &text.range;
    range.contains(&address).then_some(text)
}

/// Makes a task that waits in changing text return to its retry point.
fn kick(task: TaskId) {
    if let Some(task) = task_core::find(task) {
        wait_queue::kick(&task);
    }
}

/// All CPUs stand still: hands state over and exchanges the words. On an error nothing has changed. A static that was given
/// another value since it was loaded keeps that one: it does not refer to an old cell any more.
fn commit(
    pages: &[Exchange],
    words: &[Exchange],
    state_transfer: Option<&mut state_transfer::Typed>,
) -> Result<(), SwapError> {
    // SAFETY: the entries belong to page tables, which are mapped.
    if !unsafe { pivot::is_unchanged(pages.as_ptr(), pages.len()) } {
        return Err(SwapError::Changed);
    }
    state_transfer.map_or(Ok(()), state_transfer::Typed::carry_out)?;
    HALF_DONE.store(true, Ordering::Release);
    // SAFETY: all other CPUs wait at the gate, interrupts are off here, and every page was prepared for its place. The words
    // belong to statics of cells that are loaded, or that nobody frees until the books are up to date.
    unsafe {
        pivot::exchange(pages.as_ptr(), pages.len());
        pivot::exchange(words.as_ptr(), words.len());
    }
    pivot::serialise();
    Ok(())
}
