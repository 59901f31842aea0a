//! Where tasks wait until something may have happened: the base of everything that blocks.
//!
//! # How to block
//! A [`WaitQueue`] lies beside the state that is waited for. Whoever changes the state calls [`WaitQueue::wake_one`]
//! or [`WaitQueue::wake_all`] afterwards. Whoever waits does, in this order:
//!
//! 1. take a [`Ticket`] ([`WaitQueue::ticket`]);
//! 2. try, without blocking;
//! 3. if that failed, [`park`] with the ticket, and begin again.
//!
//! A task can be ended at any instruction, hence between changing the state and waking. Whoever must not be keeps
//! preemption or interrupts off from before the change until the wake-up is out.
//!
//! A wake-up between 1 and 3 makes the ticket stale and `park` return at once: none is lost. `park` may return for
//! other reasons too; only the next try tells whether the wait is over.
//!
//! # Why blocking primitives are evictable
//! A swap must not find a parked task inside the code that it changes. So no primitive blocks in its own code: its
//! (type-erased) attempts never wait, they return a ticket, and the loop around attempt and `park` is a thin
//! `#[inline(always)]` wrapper, which the compiler puts into the *user's* cell. The stack of a parked task then
//! holds the user's frames, [`park`] and the scheduler, and none of the primitive. And if it is this cell or the
//! scheduler that is to change, [`evict`] makes parked tasks return to their loops, which is always allowed.
//!
//! # Guarantees
//! - `park` is a cancellation point: a task that is to end unwinds from it, in the queue no longer. A wake-up that
//!   reached such a task is passed on to the next.
//! - Tasks are woken in the order in which they came.
//! - Blocking where that is forbidden panics.
//!
//! Nothing here can fail.
#![no_std]

use core::sync::atomic::{AtomicU32, Ordering};

use clock::Instant;
use cpu_local::InterruptGuard;
use slot_list::{Links, List};
use spin_lock::SpinLock;
use task_core::{Machinery, Task, TaskRef};

pub use task_core::Wake;

// SAFETY: this cell is where tasks block; the rules at each method are kept in `park`.
const RIGHT: Machinery = unsafe { Machinery::new() };

/// A task waits in one queue at most, so that all queues can share one table.
static LINKS: Links = Links::new();

/// Tasks that wait for the same thing.
#[derive(Debug)]
pub struct WaitQueue {
    /// Counts wake-ups: a ticket that shows an older count is stale.
    sequence: AtomicU32,
    /// Tasks in the list, or about to be.
    waiting: AtomicU32,
    list: SpinLock<List>,
}

/// A promise to notice every wake-up that comes after it was taken.
#[derive(Clone, Copy, Debug)]
#[must_use = "a ticket is taken to be parked with"]
pub struct Ticket<'a> {
    queue: &'a WaitQueue,
    sequence: u32,
}

impl WaitQueue {
    /// A queue in which nobody waits.
    pub const fn new() -> Self {
        Self { sequence: AtomicU32::new(0), waiting: AtomicU32::new(0), list: SpinLock::new(List::new()) }
    }

    /// A ticket, to be taken before the state is looked at.
    #[inline]
    pub fn ticket(&self) -> Ticket<'_> {
        Ticket { queue: self, sequence: self.sequence.load(Ordering::SeqCst) }
    }

    /// Wakes the task that has waited longest. To be called after the state has changed. Whether there was one.
    #[inline]
    pub fn wake_one(&self) -> bool {
        self.sequence.fetch_add(1, Ordering::SeqCst);
        self.waiting.load(Ordering::SeqCst) != 0 && self.wake(1, &InterruptGuard::new()) != 0
    }

    /// As [`wake_one`](Self::wake_one), with interrupts off since before the state was changed.
    #[inline]
    pub fn wake_one_quiet(&self, quiet: &InterruptGuard) -> bool {
        self.sequence.fetch_add(1, Ordering::SeqCst);
        self.waiting.load(Ordering::SeqCst) != 0 && self.wake(1, quiet) != 0
    }

    /// Wakes all tasks that wait. To be called after the state has changed. How many there were.
    #[inline]
    pub fn wake_all(&self) -> usize {
        self.sequence.fetch_add(1, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) == 0 { 0 } else { self.wake(usize::MAX, &InterruptGuard::new()) }
    }

    /// Whether a task waits; stale as soon as it is known.
    #[inline]
    pub fn has_waiters(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) != 0
    }

    /// The task that has waited longest.
    pub fn first(&self) -> Option<TaskRef> {
        let list = self.list.lock();
        // SAFETY: the task is in this queue, whose lock is held.
        let id = list.first().map(|slot| unsafe { task_core::by_slot(slot) }.id());
        drop(list);
        id.and_then(task_core::find)
    }

    /// Shows each waiting task to `look`, with the queue locked.
    pub fn for_each_waiter(&self, look: &mut dyn FnMut(&Task)) {
        let list = self.list.lock();
        for slot in list.iter(&LINKS) {
            // SAFETY: the task is in this queue, whose lock is held.
            look(unsafe { task_core::by_slot(slot) });
        }
    }

    fn wake(&self, most: usize, quiet: &InterruptGuard) -> usize {
        let list = self.list.lock_quiet(quiet);
        let mut woken = 0;
        while woken < most
            && let Some(slot) = list.pop_front(&LINKS)
        {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            // SAFETY: a waiting task leaves the list, under this lock, before it does anything else.
            let task = unsafe { task_core::by_slot(slot) };
            // A task that something else woke is on its way back to its loop; the wake-up is for the next.
            woken += usize::from(scheduler::make_ready_quiet(RIGHT, task, Wake::Notified, quiet));
        }
        woken
    }
}

impl Default for WaitQueue {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits until the ticket is stale. May return earlier; the reason tells what is known.
pub fn park(ticket: Ticket<'_>) -> Wake {
    park_with(ticket, None)
}

/// Waits until the ticket is stale or `deadline` has passed. May return earlier.
pub fn park_until(ticket: Ticket<'_>, deadline: Instant) -> Wake {
    park_with(ticket, Some(deadline))
}

fn park_with(ticket: Ticket<'_>, deadline: Option<Instant>) -> Wake {
    unwinder::cancellation_point();
    let quiet = scheduler::begin_to_block(RIGHT);
    let Some(current) = task_core::current().map(|task| task.record(RIGHT)) else { return Wake::Notified };
    let why = wait(ticket, deadline, current, &quiet);
    drop(quiet);
    if current.faults(RIGHT).is_to_end() {
        // If a wake-up came too, somebody else is to have it: this task does not go back to its loop.
        if why == Wake::Notified {
            ticket.queue.wake_one();
        }
        unwinder::cancellation_point();
    }
    why
}

/// Blocks; when it returns, the task is in no queue and has no deadline.
fn wait(ticket: Ticket<'_>, deadline: Option<Instant>, current: &Task, quiet: &InterruptGuard) -> Wake {
    let queue = ticket.queue;
    {
        let list = queue.list.lock_quiet(quiet);
        // First say that somebody waits, then look at the count: a waker first counts and then looks who waits.
        queue.waiting.fetch_add(1, Ordering::SeqCst);
        if queue.sequence.load(Ordering::SeqCst) != ticket.sequence {
            queue.waiting.fetch_sub(1, Ordering::Relaxed);
            return Wake::Notified;
        }
        list.push_back(&LINKS, current.slot());
        current.block(RIGHT);
    }
    if let Some(deadline) = deadline {
        scheduler::arm(RIGHT, current, deadline);
    }
    // Whoever asks a task to end wakes it after that; if the request came before the task was blocked, nobody will. A
    // destructor of a task that is ending already has to wait like anybody else.
    if current.faults(RIGHT).is_to_end() {
        scheduler::make_ready(RIGHT, current, Wake::Killed);
    }
    scheduler::switch_away(RIGHT, quiet);
    let why = current.wake_reason();
    if deadline.is_some() && why != Wake::TimedOut {
        scheduler::disarm(RIGHT, current);
    }
    if why == Wake::Notified {
        return why;
    }
    let list = queue.list.lock_quiet(quiet);
    let still_there = list.iter(&LINKS).any(|slot| slot == current.slot());
    if still_there {
        list.remove(&LINKS, current.slot());
        queue.waiting.fetch_sub(1, Ordering::Relaxed);
        return why;
    }
    // A waker took it off the list and found it awake already, so it gave the wake-up to the next task.
    why
}

/// Makes a parked task return to the loop in which it blocks, for no reason of its own. Whether it was parked.
/// A task that is asleep ([`Wake::TimedOut`] only) goes back to sleep for the rest of its time.
pub fn evict(task: &TaskRef) -> bool {
    scheduler::make_ready(RIGHT, task.task(RIGHT), Wake::Evicted)
}

/// Waits as `park` does, until `attempt` gives something. For primitives that need nothing more; inlined in the
/// user's cell, so that only the closure and `park` are there.
#[inline(always)]
pub fn wait_for<T>(queue: &WaitQueue, mut attempt: impl FnMut() -> Option<T>) -> T {
    loop {
        let ticket = queue.ticket();
        if let Some(value) = attempt() {
            return value;
        }
        park(ticket);
    }
}

/// As [`wait_for`], but gives up when `deadline` has passed.
#[inline(always)]
pub fn wait_for_until<T>(queue: &WaitQueue, deadline: Instant, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        let ticket = queue.ticket();
        let value = attempt();
        if value.is_some() || clock::now() >= deadline {
            return value;
        }
        park_until(ticket, deadline);
    }
}
