//! What is left to do for tasks that end: disposing of those that nobody joins, and insisting on kills.

use alloc::vec::Vec;
use core::hint;
use core::time::Duration;

use clock::Instant;
use slot_list::{Links, List, Slot};
use spin_lock::SpinLock;
use task_core::{Priority, Task, TaskRef};
use wait_queue::WaitQueue;

use crate::builder::{Builder, SpawnError};
use crate::{RIGHT, kill};

/// Ended tasks that nobody joins.
static DEAD: SpinLock<List> = SpinLock::new(List::new());
static LINKS: Links = Links::new();

/// Tasks that were asked to end, with the time when that becomes an order.
static CONDEMNED: SpinLock<Vec<(Instant, TaskRef)>> = SpinLock::new(Vec::new());

/// Where the undertaker waits.
static WORK: WaitQueue = WaitQueue::new();

/// Gives back all that an ended task still has: its stack, its slot. Once per task, by whoever joins it or by the
/// undertaker; its last CPU may be only just leaving it.
pub(crate) fn dispose(task: &Task) {
    while task.is_busy() {
        hint::spin_loop();
    }
    drop(task.strip(RIGHT));
    task_core::release(RIGHT, task);
    // What a task with much memory has freed lies around in the heap.
    heap_core::trim_much();
}

/// A detached task has ended. Called with interrupts off by the task itself, as the last thing.
pub(crate) fn bury(slot: Slot) {
    DEAD.lock().push_back(&LINKS, slot);
    WORK.wake_one();
}

/// Has the undertaker insist if the task has not ended after `grace`.
pub(crate) fn watch(task: TaskRef, grace: Duration) {
    let deadline = clock::now() + grace;
    // Room is made outside the lock, for what a locked list must not ask for.
    let mut condemned = CONDEMNED.lock();
    while condemned.len() == condemned.capacity() {
        let wanted = 2 * condemned.len() + 8;
        drop(condemned);
        let mut larger = Vec::with_capacity(wanted);
        condemned = CONDEMNED.lock();
        if larger.capacity() > condemned.len() {
            larger.append(&mut condemned);
            // The old one, which is empty, is freed when the lock is free again.
            let old = core::mem::replace(&mut *condemned, larger);
            drop(condemned);
            drop(old);
            condemned = CONDEMNED.lock();
        }
    }
    condemned.push((deadline, task));
    drop(condemned);
    WORK.wake_one();
}

/// What is to be done now, or until when there is nothing.
enum Work {
    Dispose(Slot),
    Insist(TaskRef),
    Forget(TaskRef),
}

fn next_work() -> Option<Work> {
    if let Some(slot) = DEAD.lock().pop_front(&LINKS) {
        return Some(Work::Dispose(slot));
    }
    let now = clock::now();
    let mut condemned = CONDEMNED.lock();
    let due = condemned.iter().position(|(deadline, task)| *deadline <= now || task.ended().is_some())?;
    let (_, task) = condemned.swap_remove(due);
    Some(if task.ended().is_some() { Work::Forget(task) } else { Work::Insist(task) })
}

fn next_deadline() -> Option<Instant> {
    CONDEMNED.lock().iter().map(|(deadline, _)| *deadline).min()
}

/// Works for ever. A fault costs the piece of work in hand, not the undertaker: nobody restarts it.
fn work() -> ! {
    loop {
        if let Err(caught) = unwinder::catch(work_once) {
            log::error!("the undertaker goes on after a fault of its own: {caught}");
        }
    }
}

fn work_once() {
    let ticket = WORK.ticket();
    match next_work() {
        // SAFETY: the slot is occupied until it is released, which nobody does but this task, below.
        Some(Work::Dispose(slot)) => dispose(unsafe { task_core::by_slot(slot) }),
        Some(Work::Insist(task)) => kill::insist(&task),
        Some(Work::Forget(task)) => drop(task),
        None => {
            match next_deadline() {
                Some(deadline) => wait_queue::park_until(ticket, deadline),
                None => wait_queue::park(ticket),
            };
        }
    }
}

/// Starts the undertaker.
pub(crate) fn start() -> Result<(), SpawnError> {
    let undertaker = Builder::new().name("undertaker").priority(Priority::HIGHEST).spawn(|| work())?;
    undertaker.detach();
    Ok(())
}
