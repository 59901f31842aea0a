//! The scheduling policy: fixed priorities with inheritance.
//!
//! Guarantees, to the scheduler: on each CPU the most urgent ready task runs next, where a task is as urgent as
//! the most urgent of itself and those who wait for a lock it holds; a task that becomes ready displaces a less
//! urgent one at once. Equals share the CPU in turns of [`QUANTUM_TICKS`] ticks. A less urgent task may wait for
//! ever: that is what the word *fixed* means. The contract is in `policy_interface`; the only call that can fail
//! is [`import_state`], which then takes nothing.
//!
//! This is one of two policies: the cell `scheduling_policy` of the tree is the other, round robin.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use policy_interface::{ImportError, MAX_CPUS, MAX_TASKS, PolicyEntry, Priority, QueueAccess, Slot, check};
use slot_list::{Links, List};

/// How long one of several equally urgent tasks runs at a stretch.
pub const QUANTUM_TICKS: u32 = 5;

/// The queue of one CPU: a list per level.
struct Queue {
    levels: [List; Priority::LEVELS],
    /// Bit *n* is set while level *n* has tasks.
    occupied: AtomicU32,
    length: AtomicU32,
    /// Ticks that the running task has had.
    ticks: AtomicU32,
}

/// All that the policy knows.
struct Policy {
    queues: [Queue; MAX_CPUS],
    links: Links,
    /// For each queued task its packed entry, else 0.
    entries: [AtomicU32; MAX_TASKS],
}

static POLICY: Policy = Policy::new();

impl Queue {
    const fn new() -> Self {
        Self {
            levels: [const { List::new() }; Priority::LEVELS],
            occupied: AtomicU32::new(0),
            length: AtomicU32::new(0),
            ticks: AtomicU32::new(0),
        }
    }

    /// The most urgent level that has tasks.
    #[inline]
    fn top(&self) -> Option<u8> {
        #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a 32-bit word is below 32")]
        self.occupied.load(Relaxed).checked_ilog2().map(|level| level as u8)
    }

    #[inline]
    fn level(&self, level: u8) -> &List {
        &self.levels[level as usize % Priority::LEVELS]
    }

    #[inline]
    fn note(&self, level: u8) {
        let occupied = self.occupied.load(Relaxed);
        let bit = 1 << level;
        let empty = self.level(level).is_empty();
        self.occupied.store(if empty { occupied & !bit } else { occupied | bit }, Relaxed);
    }
}

impl Policy {
    const fn new() -> Self {
        Self {
            queues: [const { Queue::new() }; MAX_CPUS],
            links: Links::new(),
            entries: [const { AtomicU32::new(0) }; MAX_TASKS],
        }
    }

    #[inline]
    fn insert(&self, cpu: usize, entry: &PolicyEntry) {
        let queue = &self.queues[cpu];
        let level = entry.effective().level();
        self.entries[entry.task.index()].store(entry.pack(), Relaxed);
        queue.level(level).push_back(&self.links, entry.task);
        queue.occupied.store(queue.occupied.load(Relaxed) | 1 << level, Relaxed);
        queue.length.store(queue.length.load(Relaxed) + 1, Relaxed);
    }

    #[inline]
    fn pop(&self, queue: &Queue) -> Option<PolicyEntry> {
        let level = queue.top()?;
        let task = queue.level(level).pop_front(&self.links)?;
        queue.note(level);
        self.forget(queue, task)
    }

    #[inline]
    fn forget(&self, queue: &Queue, task: Slot) -> Option<PolicyEntry> {
        let entry = self.entry(task);
        self.entries[task.index()].store(0, Relaxed);
        queue.length.store(queue.length.load(Relaxed).wrapping_sub(1), Relaxed);
        entry
    }

    #[inline]
    fn entry(&self, task: Slot) -> Option<PolicyEntry> {
        PolicyEntry::unpack(task, self.entries[task.index()].load(Relaxed))
    }
}

/// The task is ready: it stands behind those that are as urgent.
pub fn insert(access: &mut QueueAccess, entry: &PolicyEntry) {
    POLICY.insert(access.cpu(), entry);
}

/// Who runs next: the one that has waited longest among the most urgent.
pub fn take_next(access: &mut QueueAccess) -> Option<Slot> {
    let queue = &POLICY.queues[access.cpu()];
    let entry = POLICY.pop(queue)?;
    queue.ticks.store(0, Relaxed);
    Some(entry.task)
}

/// Takes one task out of the queue; whether it was in it.
pub fn remove(access: &mut QueueAccess, task: Slot) -> bool {
    let queue = &POLICY.queues[access.cpu()];
    let Some(entry) = POLICY.entry(task).filter(|entry| entry.cpu as usize == access.cpu()) else { return false };
    let level = entry.effective().level();
    queue.level(level).remove(&POLICY.links, task);
    queue.note(level);
    POLICY.forget(queue, task).is_some()
}

/// Gives away the most urgent task that `admits` lets go.
pub fn take_for(access: &mut QueueAccess, admits: &dyn Fn(Slot) -> bool) -> Option<Slot> {
    let queue = &POLICY.queues[access.cpu()];
    let mut waiting = queue.levels.iter().rev().flat_map(|level| level.iter(&POLICY.links));
    let task = waiting.find(|task| admits(*task))?;
    remove(access, task).then_some(task)
}

/// A more urgent task displaces a less urgent one.
pub fn preempts(ready: &PolicyEntry, running: &PolicyEntry) -> bool {
    ready.effective() > running.effective()
}

/// Whether somebody more urgent waits, or an equal one and the quantum is over.
pub fn tick(access: &mut QueueAccess, running: &PolicyEntry) -> bool {
    let queue = &POLICY.queues[access.cpu()];
    let ticks = queue.ticks.load(Relaxed) + 1;
    queue.ticks.store(ticks, Relaxed);
    let own = running.effective().level();
    queue.top().is_some_and(|top| top > own || top == own && ticks >= QUANTUM_TICKS)
}

/// How many tasks are ready on a CPU.
pub fn length(cpu: usize) -> usize {
    POLICY.queues.get(cpu).map_or(0, |queue| queue.length.load(Relaxed) as usize)
}

/// Which variant this is.
pub fn name() -> &'static str {
    "fixed priority"
}

fn queued() -> usize {
    (0..MAX_CPUS).map(length).sum()
}

/// Adds all ready tasks to `entries`, CPU by CPU, in the order in which they would have run, and has none any more.
pub fn export_state(entries: &mut Vec<PolicyEntry>) {
    for queue in &POLICY.queues {
        while let Some(entry) = POLICY.pop(queue) {
            entries.push(entry);
        }
    }
}

/// Takes the tasks of another policy, or none of them.
pub fn import_state(entries: Vec<PolicyEntry>) -> Result<(), (ImportError, Vec<PolicyEntry>)> {
    if let Err(error) = check(&entries, queued()) {
        return Err((error, entries));
    }
    for entry in &entries {
        POLICY.insert(entry.cpu as usize, entry);
    }
    Ok(())
}
