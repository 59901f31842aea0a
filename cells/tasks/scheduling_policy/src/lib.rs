//! The scheduling policy: round robin.
//!
//! Guarantees, to the scheduler: every ready task of a CPU runs before any of them runs a second time, for at
//! most [`QUANTUM_TICKS`] ticks at a stretch while others wait. Priorities, given or inherited, are carried along
//! for the sake of other policies and otherwise ignored. The contract is in `policy_interface`; the only call
//! that can fail is [`import_state`], which then takes nothing.
//!
//! This is one of two policies: the alternate `priority` is the other.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use policy_interface::{ImportError, MAX_CPUS, MAX_TASKS, PolicyEntry, QueueAccess, Slot, check};
use slot_list::{Links, List};

/// How long a task runs while others wait: long against a switch, short against what a person notices.
pub const QUANTUM_TICKS: u32 = 5;

/// The queue of one CPU.
struct Queue {
    ready: List,
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
        Self { ready: List::new(), length: AtomicU32::new(0), ticks: AtomicU32::new(0) }
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
        self.entries[entry.task.index()].store(entry.pack(), Relaxed);
        queue.ready.push_back(&self.links, entry.task);
        queue.length.store(queue.length.load(Relaxed) + 1, Relaxed);
    }

    #[inline]
    fn forget(&self, queue: &Queue, task: Slot) {
        self.entries[task.index()].store(0, Relaxed);
        queue.length.store(queue.length.load(Relaxed).wrapping_sub(1), Relaxed);
    }

    fn entry(&self, task: Slot) -> Option<PolicyEntry> {
        PolicyEntry::unpack(task, self.entries[task.index()].load(Relaxed))
    }
}

/// The task is ready: it stands at the end of the queue.
pub fn insert(access: &mut QueueAccess, entry: &PolicyEntry) {
    POLICY.insert(access.cpu(), entry);
}

/// Who runs next.
pub fn take_next(access: &mut QueueAccess) -> Option<Slot> {
    let queue = &POLICY.queues[access.cpu()];
    let task = queue.ready.pop_front(&POLICY.links)?;
    queue.ticks.store(0, Relaxed);
    POLICY.forget(queue, task);
    Some(task)
}

/// Takes one task out of the queue; whether it was in it.
pub fn remove(access: &mut QueueAccess, task: Slot) -> bool {
    let queued = POLICY.entry(task).is_some_and(|entry| entry.cpu as usize == access.cpu());
    if queued {
        let queue = &POLICY.queues[access.cpu()];
        queue.ready.remove(&POLICY.links, task);
        POLICY.forget(queue, task);
    }
    queued
}

/// Gives away the first task that `admits` lets go.
pub fn take_for(access: &mut QueueAccess, admits: &dyn Fn(Slot) -> bool) -> Option<Slot> {
    let queue = &POLICY.queues[access.cpu()];
    let task = queue.ready.iter(&POLICY.links).find(|task| admits(*task))?;
    remove(access, task).then_some(task)
}

/// Nobody displaces anybody.
pub fn preempts(_ready: &PolicyEntry, _running: &PolicyEntry) -> bool {
    false
}

/// Whether the running task has had its quantum and somebody waits.
pub fn tick(access: &mut QueueAccess, _running: &PolicyEntry) -> bool {
    let queue = &POLICY.queues[access.cpu()];
    let ticks = queue.ticks.load(Relaxed) + 1;
    queue.ticks.store(ticks, Relaxed);
    ticks >= QUANTUM_TICKS && !queue.ready.is_empty()
}

/// How many tasks are ready on a CPU.
pub fn length(cpu: usize) -> usize {
    POLICY.queues.get(cpu).map_or(0, |queue| queue.length.load(Relaxed) as usize)
}

/// Which variant this is.
pub fn name() -> &'static str {
    "round robin"
}

/// Adds all ready tasks to `entries`, CPU by CPU, in the order in which they would have run, and has none any more.
pub fn export_state(entries: &mut Vec<PolicyEntry>) {
    for queue in &POLICY.queues {
        while let Some(task) = queue.ready.pop_front(&POLICY.links) {
            entries.extend(POLICY.entry(task));
            POLICY.forget(queue, task);
        }
    }
}

/// Takes the tasks of another policy, or none of them.
pub fn import_state(entries: Vec<PolicyEntry>) -> Result<(), (ImportError, Vec<PolicyEntry>)> {
    let queued = (0..MAX_CPUS).map(length).sum();
    if let Err(error) = check(&entries, queued) {
        return Err((error, entries));
    }
    for entry in &entries {
        POLICY.insert(entry.cpu as usize, entry);
    }
    Ok(())
}
