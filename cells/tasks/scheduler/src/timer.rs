//! The timer tick: deadlines, time slices, balancing, and orders for the running task.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use clock::Instant;
use cpu_local::InterruptGuard;
use fault_context::KillRequest;
use hook::Hook;
use interrupts::{Handler, Interrupted, Registration};
use spin::Once;
use spin_lock::SpinLock;
use task_core::{BlockCap, Task, Wake};
use timer_queue::TimerQueue;

use crate::{FAULT, SCHEDULE, WAKE, balance, make_ready, queues};

/// The time between two ticks of a CPU: what a deadline may be late by, and the unit of time slices.
pub const TICK_MICROSECONDS: u32 = 1000;

/// Ticks between two looks at the other CPUs' queues. Moving a task is dear, and idle CPUs look all the time.
const BALANCE_TICKS: u64 = 16;

/// The deadlines of blocked tasks. Locked before a run queue, never inside one.
static DEADLINES: SpinLock<TimerQueue> = SpinLock::new(TimerQueue::new());

/// The earliest deadline, so that a tick need not lock.
static EARLIEST: AtomicU64 = AtomicU64::new(u64::MAX);

/// The interrupt of each CPU's timer.
pub(crate) static TIMER: Once<Registration> = Once::new();

/// Is called at each tick that interrupts a task with a requested fault, where the task could be preempted; it may change
/// where the task goes on. The unset hook makes no fault.
pub static TICK: Hook<Handler> = Hook::new(|_interrupted| {});

/// Is called at each tick of each CPU: the watchdog over the other CPUs. The unset hook watches none.
pub static WATCH: Hook<fn()> = Hook::new(|| {});

/// Starts the calling CPU's tick.
pub fn start_ticking() {
    if let Some(timer) = TIMER.get() {
        apic::start_periodic(timer, Duration::from_micros(u64::from(TICK_MICROSECONDS)));
    }
}

/// Has `task` woken when `deadline` has passed, if it is still blocked then. Replaces an earlier deadline of the task.
pub fn arm(_right: BlockCap, task: &Task, deadline: Instant) {
    let mut deadlines = DEADLINES.lock();
    deadlines.set(task.slot(), deadline.ticks);
    note_earliest(&deadlines);
}

/// Takes the deadline away, if it has not passed yet. A task that has one does not end.
pub fn disarm(_right: BlockCap, task: &Task) {
    let mut deadlines = DEADLINES.lock();
    deadlines.cancel(task.slot());
    note_earliest(&deadlines);
}

/// How many tasks wait for a deadline.
pub fn sleepers() -> usize {
    DEADLINES.lock().len()
}

fn note_earliest(deadlines: &TimerQueue) {
    EARLIEST.store(deadlines.next_deadline().unwrap_or(u64::MAX), Ordering::Release);
}

fn expire(now: u64) {
    let mut deadlines = DEADLINES.lock();
    while let Some(slot) = deadlines.pop_due(now) {
        // SAFETY: a task takes its deadline away before it ends, for which it needs the lock that is held here.
        make_ready(WAKE, unsafe { task_core::by_slot(slot) }, Wake::TimedOut);
    }
    note_earliest(&deadlines);
}

pub(crate) fn on_tick(interrupted: &mut Interrupted<'_>) {
    WATCH.get()();
    let now = clock::now().ticks;
    if now >= EARLIEST.load(Ordering::Acquire) {
        expire(now);
    }
    heap_core::relieve();
    if let Some(current) = task_core::current() {
        current.with_record(|task| charge(task, interrupted));
    }
}

/// Counts the tick of the running task, and does to the task what is due.
fn charge(current: &Task, interrupted: &mut Interrupted<'_>) {
    current.execution(SCHEDULE).count_tick();
    if current.is_idle() {
        return;
    }
    let cpu = cpu_local::cpu_id();
    let entry = current.policy_entry(cpu);
    let irq_off = InterruptGuard::new();
    let over = queues::lock(cpu, &irq_off).tick(entry);
    drop(irq_off);
    if over {
        cpu_local::set_reschedule_pending();
    }
    if current.ticks().is_multiple_of(BALANCE_TICKS) {
        balance::balance();
    }
    deliver(current, interrupted);
}

pub(crate) fn on_kill(interrupted: &mut Interrupted<'_>) {
    if let Some(current) = task_core::current().filter(|task| !task.is_idle()) {
        current.with_record(|task| deliver(task, interrupted));
    }
}

/// Carries out an order for the interrupted task, if the task can be interrupted where it is.
fn deliver(current: &Task, interrupted: &mut Interrupted<'_>) {
    let registers = interrupted.registers();
    let undisturbed = cpu_local::preempt_count() == 0 && cpu_local::interrupt_depth() == 1;
    let faults = current.faults(FAULT);
    if !undisturbed || !registers.interrupts_enabled() || !faults.takes_orders() {
        return;
    }
    let is_to_end = faults.kill_request() == KillRequest::Anywhere;
    if !is_to_end && !faults.has_requested_fault() || !unwinder::is_at_safe_point(registers) && faults.put_off() {
        return;
    }
    if is_to_end {
        // SAFETY: the unwinder leaves registers with which the task goes on in the unwinder, or changes none; interrupts are
        // off.
        unsafe { unwinder::begin_end(interrupted.registers_mut()) };
    } else {
        TICK.get()(interrupted);
    }
}
