//! Doubly linked lists of tasks, by slot number: no allocation, no pointers, no `unsafe`.
//!
//! Every task has a [`Slot`] while it lives. A [`Links`] table has one pair of links per slot, so it can hold a
//! slot in at most one of the [`List`]s that use the table: the run queues share one table, the wait queues
//! another. All operations take constant time. Nothing here can fail.
//!
//! A list is used by one CPU at a time, which has it mutably. The lists of one table are used by several CPUs, each of
//! which touches the links of its own list's slots only; the compiler cannot see that, so links are atomics. All
//! accesses are relaxed (they compile to plain moves).
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use core::fmt;
use core::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// How many tasks can exist at once. A stack of 64 KiB each makes this 256 MiB: memory ends first.
pub const MAX_TASKS: usize = 4096;

/// The number of a task's place in all tables that are indexed by task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// The slot `index`, if there is one.
    #[inline]
    pub const fn new(index: usize) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "the comparison makes the conversion exact")]
        if index < MAX_TASKS { Some(Self(index as u16)) } else { None }
    }

    /// An index below [`MAX_TASKS`]. The mask spares the bounds check, and with it a branch to a panic.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize & (MAX_TASKS - 1)
    }

    /// How the slot is written in links.
    #[inline]
    const fn word(self) -> u16 {
        self.0 + 1
    }

    #[inline]
    const fn from_word(word: u16) -> Option<Self> {
        match word.checked_sub(1) {
            Some(index) => Self::new(index as usize),
            None => None,
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}", self.0)
    }
}

/// The word of "no slot"; all others are one more than the slot's index, so that zeroed tables are empty.
const NONE: u16 = 0;

/// The links of all slots for one family of lists.
#[derive(Debug)]
pub struct Links {
    next: [AtomicU16; MAX_TASKS],
    previous: [AtomicU16; MAX_TASKS],
}

impl Links {
    /// A table in which no slot is linked.
    pub const fn new() -> Self {
        Self {
            next: [const { AtomicU16::new(NONE) }; MAX_TASKS],
            previous: [const { AtomicU16::new(NONE) }; MAX_TASKS],
        }
    }

    #[inline]
    fn next(&self, slot: Slot) -> &AtomicU16 {
        &self.next[slot.index()]
    }

    #[inline]
    fn previous(&self, slot: Slot) -> &AtomicU16 {
        &self.previous[slot.index()]
    }
}

impl Default for Links {
    fn default() -> Self {
        Self::new()
    }
}

/// One list: first and last slot. The table of links goes with every call.
#[derive(Debug, Default)]
pub struct List {
    first: u16,
    last: u16,
}

impl List {
    /// An empty list.
    pub const fn new() -> Self {
        Self { first: NONE, last: NONE }
    }

    /// Whether nothing is linked.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// The slot at the front.
    #[inline]
    pub fn first(&self) -> Option<Slot> {
        Slot::from_word(self.first)
    }

    /// Appends `slot`, which is in no list of `links`.
    #[inline]
    pub fn push_back(&mut self, links: &Links, slot: Slot) {
        let last = self.last;
        links.next(slot).store(NONE, Relaxed);
        links.previous(slot).store(last, Relaxed);
        match Slot::from_word(last) {
            Some(last) => links.next(last).store(slot.word(), Relaxed),
            None => self.first = slot.word(),
        }
        self.last = slot.word();
    }

    /// Takes the slot at the front.
    #[inline]
    pub fn pop_front(&mut self, links: &Links) -> Option<Slot> {
        let slot = self.first()?;
        let next = links.next(slot).load(Relaxed);
        self.first = next;
        match Slot::from_word(next) {
            Some(next) => links.previous(next).store(NONE, Relaxed),
            None => self.last = NONE,
        }
        Some(slot)
    }

    /// Takes `slot` out; it is in this list.
    pub fn remove(&mut self, links: &Links, slot: Slot) {
        let next = links.next(slot).load(Relaxed);
        let previous = links.previous(slot).load(Relaxed);
        match Slot::from_word(previous) {
            Some(previous) => links.next(previous).store(next, Relaxed),
            None => self.first = next,
        }
        match Slot::from_word(next) {
            Some(next) => links.previous(next).store(previous, Relaxed),
            None => self.last = previous,
        }
    }

    /// The slots from front to back. Ends after [`MAX_TASKS`] steps even if the links were mixed up.
    pub fn iter<'a>(&'a self, links: &'a Links) -> impl Iterator<Item = Slot> + 'a {
        core::iter::successors(self.first(), |slot| Slot::from_word(links.next(*slot).load(Relaxed))).take(MAX_TASKS)
    }
}

#[cfg(test)]
mod tests;
