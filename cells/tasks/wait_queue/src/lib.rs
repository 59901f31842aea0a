//! Where tasks wait until something may have happened: the base of everything that blocks.
//!
//! # How to block
//! A [`WaitQueue`] lies beside the state that is waited for. A task that changes the state calls [`WaitQueue::wake_one`]
//! or [`WaitQueue::wake_all`] afterwards. A task that waits does, in this order:
//!
//! 1. take a [`Ticket`] ([`WaitQueue::ticket`]);
//! 2. try, without blocking;
//! 3. if that failed, [park](Wait::park) with the ticket, and begin again.
//!
//! A task can be ended at any instruction, hence between changing the state and waking. So a waker keeps preemption or
//! interrupts off from before the change until the wake-up is out. On the other side a [`Wait`] does that for the woken task,
//! until it has tried again.
//!
//! A wake-up between 1 and 3 makes the ticket stale and `park` return at once: none is lost. `park` may return for
//! other reasons too; only the next try tells whether the wait is over.
//!
//! # Why blocking primitives are kickable
//! A swap must not find a parked task inside the code that it changes. So no primitive blocks in its own code: its
//! (type-erased) attempts never wait, they return a ticket, and the loop around attempt and `park` is a thin
//! `#[inline(always)]` wrapper, which the compiler puts into the *user's* cell. The stack of a parked task then
//! holds the user's frames, [`Wait::park`] and the scheduler, and none of the primitive. And if it is this cell or the
//! scheduler that is to change, [`kick`] makes parked tasks return to their loops, which is always allowed.
//!
//! # Guarantees
//! - `park` is a cancellation point: a task that is to end unwinds from it, in the queue no longer.
//! - A wake-up is not lost with the task that it reached: one that is to end passes it on to the next, and so does one that
//!   panics before its wait is over; between a wake-up and the next try no other task ends it.
//! - Tasks are woken in the order in which they came.
//! - Blocking where that is forbidden panics.
//!
//! Nothing here can fail.
#![no_std]

mod wait;

pub use wait::{Wait, kick, wait_for, wait_for_until};

use core::sync::atomic::{AtomicU32, Ordering};

use cpu_local::InterruptGuard;
use slot_list::{Links, List};
use spin_lock::SpinLock;
use task_core::{BlockCap, Task, TaskRef, Wake, WakeCap};

// SAFETY: this cell is where tasks block. `wait` declares a task blocked with interrupts off and then switches away.
const BLOCK: BlockCap = unsafe { BlockCap::new() };

// SAFETY: this cell wakes tasks that it has blocked, all of which go back to their loops.
const WAKE: WakeCap = unsafe { WakeCap::new() };

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
    /// A queue in which no task waits.
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
        // First the sequence, then the look at the waiting tasks: the counterpart of `wait::block` (docs/memory-order.md, 1).
        self.sequence.fetch_add(1, Ordering::SeqCst);
        self.waiting.load(Ordering::SeqCst) != 0 && self.wake(1, &InterruptGuard::new()) != 0
    }

    /// As [`wake_one`](Self::wake_one), with interrupts off since before the state was changed.
    #[inline]
    pub fn wake_one_irq_off(&self, irq_off: &InterruptGuard) -> bool {
        self.sequence.fetch_add(1, Ordering::SeqCst);
        self.waiting.load(Ordering::SeqCst) != 0 && self.wake(1, irq_off) != 0
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
        // SAFETY: the task is in this queue, and the lock of the queue is held.
        let id = list.first().map(|slot| unsafe { task_core::by_slot(slot) }.id());
        drop(list);
        id.and_then(task_core::find)
    }

    /// Shows each waiting task to `look`, with the queue locked.
    pub fn for_each_waiter(&self, look: &mut dyn FnMut(&Task)) {
        let list = self.list.lock();
        for slot in list.iter(&LINKS) {
            // SAFETY: the task is in this queue, and the lock of the queue is held.
            look(unsafe { task_core::by_slot(slot) });
        }
    }

    fn wake(&self, most: usize, irq_off: &InterruptGuard) -> usize {
        let mut list = self.list.lock_irq_off(irq_off);
        let mut woken = 0;
        while woken < most
            && let Some(slot) = list.pop_front(&LINKS)
        {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            // SAFETY: a waiting task leaves the list, under this lock, before it does anything else.
            let task = unsafe { task_core::by_slot(slot) };
            // A task that something else woke is on its way back to its loop; the wake-up is for the next.
            woken += usize::from(scheduler::make_ready_irq_off(WAKE, task, Wake::Notified, irq_off));
        }
        woken
    }
}

impl Default for WaitQueue {
    fn default() -> Self {
        Self::new()
    }
}
