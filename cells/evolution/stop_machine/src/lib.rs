//! Brings every CPU to a known point, for as short as can be.
//!
//! A CPU is called by an interrupt and stops where its task could be preempted: so it holds no spin lock, is in no
//! interrupt handler and in no critical section. It looks at its own task's stack, reports the result, and waits in the
//! pivot. Guarantees to the engine: while its work runs, no other CPU executes anything, every task's stack has been
//! looked at, and no unwanted frame is on any of them. A CPU that does not come in time is named, and everything goes
//! on as if nothing had been asked.
//!
//! One stop of all CPUs at a time: the second caller is told so.
#![no_std]

use core::{
    fmt,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use cpu_local::{CpuId, CpuSet, InterruptGuard, MAX_CPUS, PerCpu, PreemptGuard};
use pivot::Gate;
use registers::SwitchFrame;
use spin_lock::SpinLock;
use task_core::{Task, TaskId};
use unwinder::{Registers, WalkError, Walker};

/// Is shown every frame of every stack, by the task (`None` for a CPU without one) and the address at which it stands;
/// says whether that must not be. Several CPUs call it at the same time.
pub type Unwanted<'a> = &'a (dyn Fn(Option<TaskId>, u64) -> bool + Sync);

/// The reason why the CPUs were not stopped, or went on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMachineError {
    /// The CPUs are stopped for another caller.
    Busy,
    /// A CPU did not stop in time.
    Unanswered {
        /// The CPU.
        cpu: CpuId,
    },
    /// A task stands in unwanted text.
    Occupied {
        /// The task; `None` for a CPU without one.
        task: Option<TaskId>,
        /// The address at which it stands.
        address: u64,
    },
    /// A task's stack cannot be read to its end.
    Unreadable {
        /// The task; `None` for a CPU without one.
        task: Option<TaskId>,
        /// Where the walk ended.
        address: u64,
    },
}

impl fmt::Display for StopMachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the CPUs are being stopped for another caller"),
            Self::Unanswered { cpu } => write!(f, "CPU {cpu} did not stop in time"),
            Self::Occupied { task, address } => write!(f, "task {} is at {address:#x}", number(*task)),
            Self::Unreadable { task, address } => {
                write!(f, "the stack of task {} ends in the unknown at {address:#x}", number(*task))
            }
        }
    }
}

impl core::error::Error for StopMachineError {}

fn number(task: Option<TaskId>) -> u64 {
    task.map_or(0, TaskId::number)
}

/// How long to wait for a CPU before it is called once more.
const CALL_AGAIN: Duration = Duration::from_millis(10);

/// The question to stopped CPUs. Lives on the caller's stack as long as [`REQUEST`] names it.
struct Request<'a> {
    unwanted: Unwanted<'a>,
    ticket: u32,
    /// All CPUs but the caller's.
    others: CpuSet,
    arrived: AtomicU32,
    found: SpinLock<Option<StopMachineError>>,
}

impl Request<'_> {
    /// The CPUs that have not come.
    fn missing(&self) -> CpuSet {
        CpuSet::from_bits(self.others.bits() & !self.arrived.load(Ordering::Acquire))
    }
}

static TAKEN: AtomicBool = AtomicBool::new(false);
static REQUEST: AtomicPtr<Request<'static>> = AtomicPtr::new(core::ptr::null_mut());
/// CPUs between looking at `REQUEST` and having left: the request stays until there are none.
static INSIDE: AtomicU32 = AtomicU32::new(0);
static GATE: Gate = Gate::new();
static STOPPED_AT: PerCpu<AtomicU64> = PerCpu::new([const { AtomicU64::new(0) }; MAX_CPUS]);

/// Stops this CPU if that is requested: for [`scheduler::STOP_MACHINE`], which is called on every CPU where its task could
/// be preempted.
pub fn answer() {
    if REQUEST.load(Ordering::Acquire).is_null() {
        return;
    }
    let _irq_off = InterruptGuard::new();
    // First the count, then the look at the request; `Turn::drop` does it the other way round (docs/memory-order.md, 9).
    INSIDE.fetch_add(1, Ordering::SeqCst);
    let request = REQUEST.load(Ordering::SeqCst);
    if !request.is_null() {
        // SAFETY: the request was there after `INSIDE` was raised, so its owner waits for this CPU to leave.
        let request = unsafe { &*request };
        // Registers are on this stack from here on, where a scan can see them.
        unwinder::capture_here(&mut |walker| {
            inspect(request, task_core::current_id(), walker);
            let cpu = cpu_local::cpu_id();
            // The registers of the walker lie above this frame.
            STOPPED_AT[cpu].store((&raw const cpu).addr() as u64, Ordering::Release);
            request.arrived.fetch_or(1 << cpu.number(), Ordering::AcqRel);
            // One that is still on its way may be waiting for this CPU to forget pages. Once all are here none is.
            while GATE.ticket() == request.ticket && !request.missing().is_empty() {
                tlb_shootdown::answer();
                core::hint::spin_loop();
            }
            GATE.wait(request.ticket);
        });
    }
    INSIDE.fetch_sub(1, Ordering::AcqRel);
}

fn inspect(request: &Request<'_>, task: Option<TaskId>, walker: Walker<'_>) {
    for frame in walker {
        let found = match frame {
            Ok(frame) if (request.unwanted)(task, frame.lookup) => {
                StopMachineError::Occupied { task, address: frame.lookup }
            }
            Ok(_) => continue,
            Err(error) => StopMachineError::Unreadable { task, address: place(&error) },
        };
        request.found.lock().get_or_insert(found);
        return;
    }
}

/// Where a walk came to its end.
fn place(error: &WalkError) -> u64 {
    match *error {
        WalkError::NoEntry { rip }
        | WalkError::OffStack { rip, .. }
        | WalkError::NotAscending { rip }
        | WalkError::UnsupportedRule { rip }
        | WalkError::Malformed { rip, .. } => rip,
    }
}

/// Where on its stack `cpu` stands while it is stopped: everything above is in use.
pub fn stopped_at(cpu: CpuId) -> u64 {
    STOPPED_AT[cpu].load(Ordering::Acquire)
}

/// Stops all other CPUs, looks at all stacks, and if `unwanted` is true of no address at which a frame stands, runs
/// `work` with interrupts off. `limit` bounds the wait for the CPUs; it should be a second at least, for the host of a
/// virtual machine may keep a CPU waiting that long.
///
/// `work` must not wait for another CPU, nor take a lock that is held with interrupts on.
///
/// # Errors
/// [`StopMachineError`]; `work` has not run.
///
/// # Panics
/// Where blocking is forbidden: the caller must be a task that could be preempted.
pub fn hold<R>(limit: Duration, unwanted: Unwanted<'_>, work: impl FnOnce() -> R) -> Result<R, StopMachineError> {
    scheduler::assert_may_block();
    // First: a kill between setting `TAKEN` and this would leave it set for ever.
    let _here = PreemptGuard::new();
    if TAKEN.swap(true, Ordering::AcqRel) {
        return Err(StopMachineError::Busy);
    }
    let request = Request {
        unwanted,
        ticket: GATE.ticket(),
        others: scheduler::scheduling_cpus().without(cpu_local::cpu_id()),
        arrived: AtomicU32::new(0),
        found: SpinLock::new(None),
    };
    let pointer: *const Request<'_> = &raw const request;
    REQUEST.store(pointer.cast_mut().cast(), Ordering::Release);
    let _standing = Standing;
    stop_others(&request, limit)?;
    let _irq_off = InterruptGuard::new();
    look_at_stacks(&request);
    let found = *request.found.lock();
    found.map_or_else(|| Ok(apart(work)), Err)
}

/// In a frame of its own: a CPU exception leaks the values in the frame that it hits, and `hold` must not lose its `Standing`.
#[inline(never)]
fn apart<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// The time during which a request stands. Its end, also by a panic of the work, lets all CPUs go on.
struct Standing;

impl Drop for Standing {
    fn drop(&mut self) {
        // First the request, then the look at the CPUs inside: the counterpart of `answer` (docs/memory-order.md, 9).
        REQUEST.store(core::ptr::null_mut(), Ordering::SeqCst);
        GATE.open();
        // Also CPUs that come too late must not find the request gone under their feet.
        while INSIDE.load(Ordering::SeqCst) != 0 {
            core::hint::spin_loop();
        }
        TAKEN.store(false, Ordering::Release);
    }
}

fn stop_others(request: &Request<'_>, limit: Duration) -> Result<(), StopMachineError> {
    call(request.others)?;
    let mut called = clock::now();
    let all_here = clock::spin_until(limit, || {
        // Those that have come may be waiting for this CPU too.
        tlb_shootdown::answer();
        // A CPU that was idle when it was called may have found a task instead, and has forgotten the call.
        if called.elapsed() >= CALL_AGAIN {
            called = clock::now();
            let _ = call(request.missing());
        }
        request.missing().is_empty()
    });
    match request.missing().iter().next() {
        Some(cpu) if !all_here => Err(StopMachineError::Unanswered { cpu }),
        _ => Ok(()),
    }
}

fn call(cpus: CpuSet) -> Result<(), StopMachineError> {
    cpus.iter().try_for_each(|cpu| scheduler::call(cpu).map_err(|_| StopMachineError::Unanswered { cpu }))
}

/// Calls `work` once, with the registers that callers depend on saved on this stack above its frame, where a scan can see
/// them.
pub fn with_registers_on_stack(work: &mut dyn FnMut()) {
    unwinder::capture_here(&mut |_walker| work());
}

/// The caller's own stack, and those of all tasks that have no CPU.
#[inline(never)]
fn look_at_stacks(request: &Request<'_>) {
    unwinder::capture_here(&mut |walker| {
        inspect(request, task_core::current_id(), walker);
    });
    task_core::visit(&mut |task| {
        if let Some(walker) = parked(task) {
            inspect(request, Some(task.id()), walker);
        }
    });
}

/// A walker over the stack of a task that has no CPU; for as long as no CPU runs tasks.
#[expect(clippy::cast_possible_truncation, reason = "an address of this machine is a usize")]
fn parked(task: &Task) -> Option<Walker<'_>> {
    let address = task.saved_stack_pointer().filter(|_| task.has_begun() && task.ended().is_none())?;
    let bounds = task.stack_bounds();
    if !bounds.holds_word(address) {
        return None;
    }
    let frame: *const SwitchFrame = core::ptr::with_exposed_provenance(address as usize);
    // SAFETY: the task is not busy and no CPU runs tasks, so the record that the switch left on its stack is there.
    let registers = Registers::of_switch_frame(unsafe { &*frame }, address);
    // SAFETY: the registers are the task's; its stack is as the switch left it, and no cell is unloaded while all CPUs stand.
    Some(unsafe { Walker::from_call(registers, bounds) })
}
