//! The second and third phase of a swap: finds the system quiescent, hands state over, and exchanges the words.

use alloc::{string::String, vec::Vec};
use core::{ops::Range, sync::atomic::Ordering, time::Duration};

use clock::Instant;
use cpu_local::PreemptGuard;
use pivot::Exchange;
use policy_interface::AllQueues;
use replacement::{Prepared, ReplaceError, Unstable};
use state_transfer::{Catch, GivenBack, Reason, StateTransfer};
use stop_machine::StopMachineError;
use task_core::{Cause, TaskId};

use crate::{
    EXPORT_STATE, IMPORT_STATE,
    error::SwapError,
    namespace_lock::{HALF_DONE, STOP_LIMIT},
};

/// How long a swap tries to find the system quiescent.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// Between two attempts, for tasks to leave the text that changes.
const PAUSE: Duration = Duration::from_millis(2);

/// A prepared change in the form that is needed while the CPUs are stopped.
pub(crate) struct Plan {
    /// Page table entries.
    pages: Vec<Exchange>,
    /// Words of statics.
    words: Vec<Exchange>,
    /// Sorted by address.
    unstable: Vec<Unstable>,
    state_transfer: Option<Typed>,
}

/// The words have been exchanged, but the tables of the namespace do not say so yet.
pub(crate) struct Exchanged {
    pub(crate) attempts: u32,
    pub(crate) quiesce: Duration,
    pub(crate) commit: Duration,
    /// The moment at which the CPUs went on.
    pub(crate) committed: Instant,
    /// Keeps kills away until the tables are up to date: a [`Prepared`] that is dropped before would free cells in use.
    pub(crate) undisturbed: PreemptGuard,
}

impl Plan {
    pub(crate) fn new(prepared: &Prepared) -> Result<Self, SwapError> {
        let mut unstable = prepared.unstable().to_vec();
        unstable.sort_unstable_by_key(|text| text.range.start);
        let state_transfers = prepared.state_transfers().iter().map(|(cell, functions)| Typed::new(cell, functions));
        Ok(Self {
            pages: prepared.page_entries(),
            words: prepared.words().to_vec(),
            unstable,
            // There is one kind of state that can be handed over, hence one cell at most.
            state_transfer: state_transfers.collect::<Result<Vec<_>, _>>()?.pop(),
        })
    }

    /// Tries until the system is quiescent or the deadline has passed.
    pub(crate) fn carry_out(&mut self) -> Result<Exchanged, SwapError> {
        let began = clock::now();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let Self { pages, words, unstable, state_transfer } = self;
            state_transfer.as_mut().map_or(Ok(()), Typed::prepare)?;
            let unwanted = |_, address| text_at(unstable, address).is_some();
            let outcome = stop_machine::hold(STOP_LIMIT, &unwanted, || {
                let stopped = clock::now();
                exchange(pages, words, state_transfer.as_mut()).map(|()| (stopped, PreemptGuard::new()))
            });
            match outcome {
                Ok(Ok((stopped, undisturbed))) => {
                    let committed = clock::now();
                    let (quiesce, commit) = (stopped - began, committed - stopped);
                    return Ok(Exchanged { attempts, quiesce, commit, committed, undisturbed });
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

/// Hands state over and exchanges the words, while all other CPUs are stopped. On an error nothing has changed. A static that
/// was given another value since its cell was loaded keeps that value, which does not refer to an old cell any more.
fn exchange(pages: &[Exchange], words: &[Exchange], state_transfer: Option<&mut Typed>) -> Result<(), SwapError> {
    // SAFETY: the entries belong to page tables, which are mapped.
    if !unsafe { pivot::is_unchanged(pages.as_ptr(), pages.len()) } {
        return Err(SwapError::Changed);
    }
    if let Some(transfer) = state_transfer {
        // SAFETY: the other CPUs were stopped where their tasks could be preempted, hence without a spin lock, and this
        // function is called without one.
        unsafe { transfer.carry_out() }?;
    }
    HALF_DONE.store(true, Ordering::Release);
    // SAFETY: all other CPUs wait at the gate, interrupts are off here, and every page was prepared for its place. The words
    // belong to statics of cells that are loaded, or that are not freed until the tables are up to date.
    unsafe {
        pivot::exchange(pages.as_ptr(), pages.len());
        pivot::exchange(words.as_ptr(), words.len());
    }
    pivot::serialise();
    Ok(())
}

// A cell that carries state has `export_state` and `import_state` at its root, in types that a swap does not change. The engine
// must know these types to pass the value on, so each kind of state is one entry here. There is one kind.

/// The cell that has the list of ready tasks as its state.
const POLICY: &str = "scheduling_policy";

/// Panics and CPU exceptions are caught by the unwinder.
struct Unwinder;

impl Catch for Unwinder {
    type Fault = Cause;

    fn catch<T>(&self, body: impl FnOnce() -> T) -> Result<T, Cause> {
        // SAFETY: the bodies are the state transfer's calls of the policy's functions, which take and give values: no guard
        // of a lock is among these, and a policy keeps none.
        unsafe { unwinder::catch(body) }.map_err(|caught| caught.cause)
    }
}

/// The state transfer of the one kind of state that there is.
struct Typed(StateTransfer);

impl Typed {
    /// With the functions at the addresses in `functions`, if the kind of state that `cell` hands over is known.
    fn new(cell: &str, functions: &replacement::StateTransfer) -> Result<Self, SwapError> {
        if cell != POLICY {
            return Err(SwapError::UnknownState { cell: String::from(cell) });
        }
        let refused = |error| SwapError::Prepare(ReplaceError::from(error));
        // SAFETY: the functions are called before the swap ends, and until then neither the old cells nor the new ones go.
        unsafe {
            Ok(Self(StateTransfer::new(
                functions.export_state.function(&EXPORT_STATE).map_err(refused)?,
                functions.give_back.function(&IMPORT_STATE).map_err(refused)?,
                functions.import_state.function(&IMPORT_STATE).map_err(refused)?,
            )))
        }
    }

    /// Takes the memory that handing over needs, while memory can still be had from others.
    fn prepare(&mut self) -> Result<(), SwapError> {
        self.0.prepare().map_err(|_| SwapError::Memory)
    }

    /// Hands the state over; if the new cell refuses it, or one of both does not survive it, the old one has it again.
    ///
    /// # Safety
    /// Every other CPU stands still, stopped where it holds no spin lock, and this one holds none.
    unsafe fn carry_out(&mut self) -> Result<(), SwapError> {
        // SAFETY: the caller's promise; a locked queue is a held spin lock.
        let mut queues = unsafe { AllQueues::new() };
        self.0.carry_out(&mut queues, &Unwinder).map_err(|GivenBack { reason, lost }| {
            if lost > 0 {
                log::error!("cell {POLICY} did not take back {lost} tasks that it gave up itself: they are lost");
            }
            match reason {
                Reason::Export(cause) => SwapError::ExportFailed { cell: POLICY, cause },
                Reason::Refused(reason) => SwapError::NotImported { cell: POLICY, reason },
                Reason::Import(cause) => SwapError::ImportFailed { cell: POLICY, cause },
            }
        })
    }
}
