//! A policy that is not finished: its `import_state` panics when it has taken half of the tasks.
//!
//! Apart from that it is the policy of the base, round robin.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use policy_interface::{Arrival, ImportError, Links, List, Policy, PolicyEntry, Slot};

/// How long a task runs while others wait: long against a switch, short against the time that a person notices.
pub const QUANTUM_TICKS: u32 = 5;

/// The queue of one CPU.
#[derive(Debug)]
pub struct RoundRobin {
    ready: List,
    /// Ticks that the running task has had.
    ticks: u32,
}

impl Policy for RoundRobin {
    const NAME: &'static str = "round robin";
    const EMPTY: Self = Self { ready: List::new(), ticks: 0 };

    #[inline]
    fn insert(&mut self, links: &Links, entry: PolicyEntry, _why: Arrival) {
        self.ready.push_back(links, entry.task());
    }

    #[inline]
    fn take_next(&mut self, links: &Links) -> Option<Slot> {
        self.ticks = 0;
        self.ready.pop_front(links)
    }

    fn remove(&mut self, links: &Links, entry: PolicyEntry) {
        self.ready.remove(links, entry.task());
    }

    fn waiting<'a>(&'a self, links: &'a Links) -> impl Iterator<Item = Slot> {
        self.ready.iter(links)
    }

    fn tick(&mut self, _links: &Links, _running: PolicyEntry) -> bool {
        self.ticks = self.ticks.saturating_add(1);
        self.ticks >= QUANTUM_TICKS && !self.ready.is_empty()
    }

    fn preempts(_ready: PolicyEntry, _running: PolicyEntry) -> bool {
        false
    }

    fn import_state(entries: &[PolicyEntry], insert: &mut dyn FnMut(PolicyEntry)) -> Result<(), ImportError> {
        let (taken, left) = entries.split_at(entries.len() / 2);
        taken.iter().copied().for_each(insert);
        panic!("{} tasks are taken, and the part that takes the other {} is not written", taken.len(), left.len())
    }
}

policy_interface::scheduling_policy!(RoundRobin);
