//! The scheduling policy: fixed priorities with inheritance.
//!
//! Guarantees, to the scheduler: on each CPU the most urgent ready task runs next, where a task is as urgent as
//! the most urgent of itself and the tasks that wait for a lock it holds. A task that becomes ready displaces a less
//! urgent one at once. Equals share the CPU in turns of [`QUANTUM_TICKS`] ticks. A less urgent task may wait for
//! ever: that is what the word *fixed* means. The contract is in the head of `policy_interface`. Nothing here can fail.
//!
//! The base has another policy in this cell: round robin.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use policy_interface::{Arrival, Links, List, Policy, PolicyEntry, Priority, Slot};

/// How long one of several equally urgent tasks runs at a stretch.
pub const QUANTUM_TICKS: u32 = 5;

/// The queue of one CPU: a list per level.
#[derive(Debug)]
pub struct FixedPriority {
    levels: [List; Priority::LEVELS],
    /// Bit *n* is set while level *n* has tasks.
    occupied: u32,
    /// Ticks that the running task has had.
    ticks: u32,
}

impl FixedPriority {
    /// The most urgent level that has tasks.
    #[inline]
    fn top(&self) -> Option<u8> {
        #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a 32-bit word is below 32")]
        self.occupied.checked_ilog2().map(|level| level as u8)
    }

    #[inline]
    fn level(&mut self, level: u8) -> &mut List {
        &mut self.levels[level as usize % Priority::LEVELS]
    }

    /// Notes that a task has left `level`.
    #[inline]
    fn note(&mut self, level: u8) {
        if self.level(level).is_empty() {
            self.occupied &= !(1 << level);
        }
    }
}

impl Policy for FixedPriority {
    const NAME: &'static str = "fixed priority";
    const EMPTY: Self = Self { levels: [const { List::new() }; Priority::LEVELS], occupied: 0, ticks: 0 };

    #[inline]
    fn insert(&mut self, links: &Links, entry: PolicyEntry, _why: Arrival) {
        let level = entry.effective().level();
        self.level(level).push_back(links, entry.task());
        self.occupied |= 1 << level;
    }

    #[inline]
    fn take_next(&mut self, links: &Links) -> Option<Slot> {
        let level = self.top()?;
        let task = self.level(level).pop_front(links);
        self.note(level);
        self.ticks = 0;
        task
    }

    fn remove(&mut self, links: &Links, entry: PolicyEntry) {
        let level = entry.effective().level();
        self.level(level).remove(links, entry.task());
        self.note(level);
    }

    fn waiting<'a>(&'a self, links: &'a Links) -> impl Iterator<Item = Slot> {
        self.levels.iter().rev().flat_map(move |level| level.iter(links))
    }

    /// A more urgent task does not wait for the end of a quantum; an equal one does.
    fn tick(&mut self, _links: &Links, running: PolicyEntry) -> bool {
        self.ticks = self.ticks.saturating_add(1);
        let own = running.effective().level();
        self.top().is_some_and(|top| top > own || top == own && self.ticks >= QUANTUM_TICKS)
    }

    fn preempts(ready: PolicyEntry, running: PolicyEntry) -> bool {
        ready.effective() > running.effective()
    }
}

policy_interface::scheduling_policy!(FixedPriority);
