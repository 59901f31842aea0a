//! The scheduling policy: a multi-level feedback queue.
//!
//! A task begins at the top level. At each level it may use [`ALLOTMENT`] ticks of CPU time in all, however it divides them;
//! then it sinks one level. So a task that waits most of the time stays near the top and runs as soon as it is woken, and
//! a task that computes sinks and gets longer turns there.
//!
//! Guarantees, to the scheduler: on each CPU the next task is the one that has waited longest at the highest level that has
//! tasks. A task that is woken displaces a task of a lower level at once. No ready task waits for ever: every
//! [`BOOST_TICKS`] ticks all ready tasks of a CPU rise to the top level. Priorities are ignored. The contract is in the head of
//! `policy_interface`. Nothing here can fail.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use policy_interface::{Arrival, Links, List, PerTask, Policy, PolicyEntry, Slot};

/// How many levels there are. The last one is for tasks that compute.
pub const LEVELS: usize = 4;

/// CPU time in ticks that a task may use at each level. A short one at the top finds out soon that a task computes; a long
/// one at the bottom spares such tasks switches.
pub const ALLOTMENT: [u8; LEVELS] = [4, 8, 16, 32];

/// Ticks between two boosts of a CPU: half a second, for which a person does not yet believe that a program hangs.
pub const BOOST_TICKS: u32 = 500;

/// The level of each task. It stays while the task runs or is blocked.
static LEVEL: PerTask = PerTask::new();
/// Ticks that each task has used at its level.
static USED: PerTask = PerTask::new();

/// The queue of one CPU.
#[derive(Debug)]
pub struct FeedbackQueue {
    levels: [List; LEVELS],
    /// Ticks since the last boost.
    ticks: u32,
}

/// The level of `task`, as an index of tables by level.
#[inline]
fn level(task: Slot) -> usize {
    usize::from(LEVEL.get(task)) % LEVELS
}

/// Puts `task` at the top level, where it has used nothing.
fn begin(task: Slot) {
    LEVEL.set(task, 0);
    USED.set(task, 0);
}

/// Counts a tick of `task`. Returns whether it has used up its allotment; then it is one level lower.
fn charge(task: Slot) -> bool {
    let used = USED.get(task) + 1;
    let own = level(task);
    if used < ALLOTMENT[own] {
        USED.set(task, used);
        return false;
    }
    USED.set(task, 0);
    if own + 1 < LEVELS {
        LEVEL.set(task, LEVEL.get(task) + 1);
    }
    true
}

impl FeedbackQueue {
    /// The highest level that has tasks.
    #[inline]
    fn top(&self) -> Option<usize> {
        self.levels.iter().position(|list| !list.is_empty())
    }

    /// Raises all ready tasks to the top level, in the order in which they would have run.
    fn boost(&mut self, links: &Links) {
        let [top, lower @ ..] = &mut self.levels;
        top.iter(links).for_each(begin);
        for list in lower {
            while let Some(task) = list.pop_front(links) {
                begin(task);
                top.push_back(links, task);
            }
        }
    }
}

impl Policy for FeedbackQueue {
    const NAME: &'static str = "multi-level feedback queue";
    const EMPTY: Self = Self { levels: [const { List::new() }; LEVELS], ticks: 0 };

    fn insert(&mut self, links: &Links, entry: PolicyEntry, why: Arrival) {
        if why == Arrival::New {
            begin(entry.task());
        }
        self.levels[level(entry.task())].push_back(links, entry.task());
    }

    fn take_next(&mut self, links: &Links) -> Option<Slot> {
        let top = self.top()?;
        self.levels[top].pop_front(links)
    }

    fn remove(&mut self, links: &Links, entry: PolicyEntry) {
        self.levels[level(entry.task())].remove(links, entry.task());
    }

    fn waiting<'a>(&'a self, links: &'a Links) -> impl Iterator<Item = Slot> {
        self.levels.iter().flat_map(move |list| list.iter(links))
    }

    fn tick(&mut self, links: &Links, running: PolicyEntry) -> bool {
        self.ticks += 1;
        if self.ticks >= BOOST_TICKS {
            self.ticks = 0;
            self.boost(links);
            begin(running.task());
        }
        let is_over = charge(running.task());
        let own = level(running.task());
        self.top().is_some_and(|top| top < own || is_over && top == own)
    }

    fn preempts(ready: PolicyEntry, running: PolicyEntry) -> bool {
        level(ready.task()) < level(running.task())
    }
}

policy_interface::scheduling_policy!(FeedbackQueue);
