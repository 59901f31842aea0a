//! The reaper: the task that disposes of ended tasks without a joiner, and escalates kills.

use core::hint;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;

use clock::Instant;
use slot_list::{Links, List, Slot};
use spin_lock::SpinLock;
use task_core::{Disposal, KillRequest, Task, TaskRef, Wake};
use wait_queue::{Wait, WaitQueue};

use crate::rights::{FAULT, SPAWN, WAKE};

/// Ended tasks without a joiner.
static DEAD: SpinLock<List> = SpinLock::new(List::new());
static LINKS: Links = Links::new();

/// The earliest time at which a kill becomes an order, in ticks of the clock. It may be too early, never too late.
static NEXT_ORDER: AtomicU64 = AtomicU64::new(u64::MAX);

/// Where the reaper waits.
static WORK: WaitQueue = WaitQueue::new();

/// Gives back all that an ended task still has: its stack, its slot, and last what its code was part of. Called once per task,
/// by its joiner or by the reaper. The task's last CPU may be only just leaving it.
pub(crate) fn dispose(task: &Task) {
    while task.is_busy() {
        hint::spin_loop();
    }
    let (stack, origin) = task.body(SPAWN).strip();
    drop(stack);
    task_core::release(SPAWN, task);
    // What a task with much memory has freed lies around in the heap.
    heap_core::trim_much();
    // The code may go with it, and a fault of that must cost no slot.
    drop(origin);
}

/// A detached task has ended. Called with interrupts off by the task itself, as the last thing.
pub(crate) fn reap(slot: Slot) {
    DEAD.lock().push_back(&LINKS, slot);
    WORK.wake_one();
}

/// Whether there may be tasks that no task can join any more.
static LEFT_OVER: AtomicBool = AtomicBool::new(false);

/// The last task of an origin has ended. The tasks from there that were never joined are disposed of. Called as [`reap`].
pub(crate) fn look_for_left_over() {
    LEFT_OVER.store(true, Ordering::Release);
    WORK.wake_one();
}

/// Takes one of the tasks that no task can join any more.
fn left_over() -> Option<Slot> {
    if !LEFT_OVER.swap(false, Ordering::AcqRel) {
        return None;
    }
    let mut found = None;
    task_core::visit(&mut |task| {
        let body = task.body(SPAWN);
        if found.is_none() && body.is_left_over() {
            body.dispose(Disposal::Detached);
            found = Some(task.slot());
        }
    });
    if found.is_some() {
        // There may be more.
        LEFT_OVER.store(true, Ordering::Release);
    }
    found
}

/// Has the reaper escalate if the task has not ended after `grace`. Needs no memory, because a kill is how memory comes back.
pub(crate) fn watch(task: &Task, grace: Duration) {
    let deadline = (clock::now() + grace).ticks;
    task.body(SPAWN).set_grace_end(Some(deadline));
    NEXT_ORDER.fetch_min(deadline, Ordering::SeqCst);
    WORK.wake_one();
}

/// What is to be done now.
enum Work {
    Dispose(Slot),
    Escalate(TaskRef),
}

fn next_work() -> Option<Work> {
    if let Some(slot) = DEAD.lock().pop_front(&LINKS) {
        return Some(Work::Dispose(slot));
    }
    if let Some(slot) = left_over() {
        return Some(Work::Dispose(slot));
    }
    let now = clock::now().ticks;
    if NEXT_ORDER.load(Ordering::SeqCst) > now {
        return None;
    }
    // An order that is added during the look finds the mark cleared and sets it anew.
    NEXT_ORDER.store(u64::MAX, Ordering::SeqCst);
    let (mut due, mut next) = (None, u64::MAX);
    task_core::visit(&mut |task| match task.grace_end() {
        Some(ticks) if ticks <= now && due.is_none() => due = Some(task.id()),
        Some(ticks) => next = next.min(ticks),
        None => {}
    });
    NEXT_ORDER.fetch_min(next, Ordering::SeqCst);
    due.and_then(task_core::find).map(Work::Escalate)
}

fn next_deadline() -> Option<Instant> {
    let ticks = NEXT_ORDER.load(Ordering::SeqCst);
    (ticks != u64::MAX).then_some(Instant { ticks })
}

/// What the reaper does. A fault costs the piece of work in hand.
pub(crate) fn work() {
    loop {
        work_once();
    }
}

fn work_once() {
    let ticket = WORK.ticket();
    match next_work() {
        // SAFETY: the slot is occupied until it is released. Its task was let go, so this task alone releases it, below.
        Some(Work::Dispose(slot)) => dispose(unsafe { task_core::by_slot(slot) }),
        Some(Work::Escalate(task)) => escalate(&task),
        None => {
            Wait::within(next_deadline()).park(ticket);
        }
    }
}

/// The grace period is over: ends the task at a tick.
fn escalate(task: &TaskRef) {
    if task.ended().is_some() {
        return;
    }
    let task = task.record();
    task.body(SPAWN).set_grace_end(None);
    task.faults(FAULT).request_kill(KillRequest::Anywhere);
    if !scheduler::make_ready(WAKE, task, Wake::Killed) {
        scheduler::interrupt(WAKE, task);
    }
}
