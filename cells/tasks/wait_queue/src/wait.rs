//! The waiting task's side.

use core::sync::atomic::Ordering;

use clock::Instant;
use cpu_local::{InterruptGuard, PreemptGuard};
use task_core::{Current, Task, TaskRef, Wake};

use crate::{BLOCK, LINKS, Ticket, WAKE, WaitQueue};

/// One wait of the running task: lives from its first try to the one that succeeds.
///
/// From the moment when [`park`](Self::park) returns until the wait parks again or is dropped, the task keeps its CPU: it is
/// neither preempted nor ended nor made to fault by others, so a woken task tries once at least. The try is short and does not
/// block. If a panic or an order to end drops the wait, the wake-up is passed on to the next task in the queue.
#[must_use = "a wait protects what its task does after it was woken"]
#[derive(Debug, Default)]
pub struct Wait<'a> {
    /// The time at which it is over, without regard to wake-ups.
    deadline: Option<Instant>,
    undisturbed: Option<PreemptGuard>,
    /// The queue that has woken the task, while the task has not used this wake-up yet.
    owes: Option<&'a WaitQueue>,
}

impl<'a> Wait<'a> {
    /// A wait that has not begun: the task can be disturbed.
    #[inline(always)]
    pub const fn new() -> Self {
        Self::within(None)
    }

    /// As [`new`](Self::new), for a wait that lasts until `deadline` at most, if there is one.
    #[inline(always)]
    pub const fn within(deadline: Option<Instant>) -> Self {
        Self { deadline, undisturbed: None, owes: None }
    }

    /// Whether its deadline has passed: to be asked after a try that failed.
    #[inline(always)]
    pub fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| clock::now() >= deadline)
    }

    /// What is waited for next, because of what this wait has found: the task stays undisturbed until that parks, and the
    /// wake-up that it had is passed on if that is not over before the task ends.
    #[inline(always)]
    pub fn continued<'b>(&mut self) -> Wait<'b> {
        Wait { deadline: None, undisturbed: self.undisturbed.take(), owes: None }
    }

    /// Waits until the ticket is stale or the deadline has passed. May return earlier: only the next try tells.
    // Not inlined: where the task can be disturbed, the frame that could be lost is this one, not the one that has the wait.
    #[inline(never)]
    pub fn park(&mut self, ticket: Ticket<'a>) {
        // The wake-up before led to a try, which failed.
        (self.undisturbed, self.owes) = (None, None);
        unwinder::cancellation_point();
        let irq_off = scheduler::begin_to_block(BLOCK);
        let Some(current) = task_core::current() else { return };
        let why = current.with_record(|task| block(ticket, self.deadline, current, task, &irq_off));
        self.undisturbed = Some(PreemptGuard::new());
        self.owes = (why == Wake::Notified).then_some(ticket.queue);
        drop(irq_off);
        if current.is_to_end() {
            // It does not go back to its loop, and its destructors may wait.
            self.undisturbed = None;
            unwinder::cancellation_point();
        }
    }
}

impl Drop for Wait<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(queue) = self.owes {
            pass_on(queue);
        }
    }
}

/// Gives the wake-up to the next task, if this one is being unwound.
#[cold]
fn pass_on(queue: &WaitQueue) {
    if fault_context::unwinding() {
        queue.wake_one();
    }
}

/// Blocks; when it returns, the task is in no queue and has no deadline.
fn block(
    ticket: Ticket<'_>,
    deadline: Option<Instant>,
    current: Current,
    task: &Task,
    irq_off: &InterruptGuard,
) -> Wake {
    let queue = ticket.queue;
    {
        let mut list = queue.list.lock_irq_off(irq_off);
        // First the count of waiting tasks, then the look at the sequence; a waker does it the other way round
        // (docs/memory-order.md, 1).
        queue.waiting.fetch_add(1, Ordering::SeqCst);
        if queue.sequence.load(Ordering::SeqCst) != ticket.sequence {
            queue.waiting.fetch_sub(1, Ordering::Relaxed);
            return Wake::Notified;
        }
        list.push_back(&LINKS, task.slot());
        task.block(BLOCK);
    }
    if let Some(deadline) = deadline {
        scheduler::arm(BLOCK, task, deadline);
    }
    // A killer stores its request and then wakes the task; if that came before the task was blocked, no wake-up follows
    // (docs/memory-order.md, 2). A destructor of a task that is ending already waits as other code does.
    if current.is_to_end() {
        scheduler::make_ready(WAKE, task, Wake::Killed);
    }
    scheduler::switch_away(BLOCK, irq_off);
    let why = task.wake_reason();
    if deadline.is_some() && why != Wake::TimedOut {
        scheduler::disarm(BLOCK, task);
    }
    if why == Wake::Notified {
        return why;
    }
    let mut list = queue.list.lock_irq_off(irq_off);
    let still_there = list.iter(&LINKS).any(|slot| slot == task.slot());
    if still_there {
        list.remove(&LINKS, task.slot());
        queue.waiting.fetch_sub(1, Ordering::Relaxed);
    }
    // Else a waker took it off the list and found it awake already, so it gave the wake-up to the next task.
    why
}

/// Makes a parked task return to the loop in which it blocks, as a spurious wake-up does. Returns whether it was parked.
/// A task that sleeps goes back to sleep for the rest of its time.
pub fn kick(task: &TaskRef) -> bool {
    scheduler::make_ready(WAKE, task.record(), Wake::Kicked)
}

/// Waits as a [`Wait`] does, until `attempt` gives a value. For primitives that need no more than that. It is inlined in the
/// user's cell, so that the stack has frames of the closure and of `park` only.
#[inline(always)]
pub fn wait_for<T>(queue: &WaitQueue, mut attempt: impl FnMut() -> Option<T>) -> T {
    let mut wait = Wait::new();
    loop {
        let ticket = queue.ticket();
        if let Some(value) = attempt() {
            return value;
        }
        wait.park(ticket);
    }
}

/// As [`wait_for`], but gives up when `deadline` has passed.
#[inline(always)]
pub fn wait_for_until<T>(queue: &WaitQueue, deadline: Instant, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let mut wait = Wait::within(Some(deadline));
    loop {
        let ticket = queue.ticket();
        let value = attempt();
        if value.is_some() || wait.is_over() {
            return value;
        }
        wait.park(ticket);
    }
}
