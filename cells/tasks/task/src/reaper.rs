//! What is left to do for tasks that end: disposing of those that nobody joins, and escalating kills.

use core::hint;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use clock::Instant;
use slot_list::{Links, List, Slot};
use spin_lock::SpinLock;
use task_core::{Priority, Task, TaskRef};
use wait_queue::{Wait, WaitQueue};

use crate::builder::{Builder, SpawnError};
use crate::{RIGHT, kill};

/// Ended tasks that nobody joins.
static DEAD: SpinLock<List> = SpinLock::new(List::new());
static LINKS: Links = Links::new();

/// The earliest time at which a kill becomes an order, in ticks of the clock. It may be too early, never too late.
static NEXT_ORDER: AtomicU64 = AtomicU64::new(u64::MAX);

/// Where the reaper waits.
static WORK: WaitQueue = WaitQueue::new();

/// Gives back all that an ended task still has: its stack, its slot, and last what its code was part of. Once per task, by
/// whoever joins it or by the reaper; its last CPU may be only just leaving it.
pub(crate) fn dispose(task: &Task) {
    while task.is_busy() {
        hint::spin_loop();
    }
    let (stack, origin) = task.strip(RIGHT);
    drop(stack);
    task_core::release(RIGHT, task);
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

/// Has the reaper escalate if the task has not ended after `grace`. Needs no memory: a kill may be what gives some back.
pub(crate) fn watch(task: &Task, grace: Duration) {
    let deadline = (clock::now() + grace).ticks;
    task.set_grace_end(RIGHT, Some(deadline));
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
    let now = clock::now().ticks;
    if NEXT_ORDER.load(Ordering::SeqCst) > now {
        return None;
    }
    // Whoever is added during the look finds the mark cleared and sets it anew.
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

/// Works for ever. A fault costs the piece of work in hand.
fn work() {
    loop {
        work_once();
    }
}

fn work_once() {
    let ticket = WORK.ticket();
    match next_work() {
        // SAFETY: the slot is occupied until it is released, which nobody does but this task, below.
        Some(Work::Dispose(slot)) => dispose(unsafe { task_core::by_slot(slot) }),
        Some(Work::Escalate(task)) => kill::escalate(&task),
        None => {
            Wait::within(next_deadline()).park(ticket);
        }
    }
}

/// Starts the reaper.
pub(crate) fn start() -> Result<(), SpawnError> {
    Builder::new().name("reaper").priority(Priority::HIGHEST).spawn_essential(RIGHT, work)
}
