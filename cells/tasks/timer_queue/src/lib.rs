//! Which task is to be woken when: a binary heap of deadlines with one place per task.
//!
//! Guarantees, to the scheduler: [`TimerQueue::pop_due`] gives the tasks with a deadline that has passed, earliest
//! first; setting, cancelling and popping take logarithmic time; nothing is allocated, for a task has at most one
//! deadline. Nothing here can fail.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub use slot_list::{MAX_TASKS, Slot};

/// The position of a slot that has no deadline.
const ABSENT: u16 = 0;

/// Deadlines of tasks, in the unit of time in which the owner counts.
#[derive(Debug)]
pub struct TimerQueue {
    /// The heap: entry 0 is the earliest; only the first `length` count.
    heap: [Option<Slot>; MAX_TASKS],
    /// Where in the heap a slot is, plus one.
    position: [u16; MAX_TASKS],
    deadline: [u64; MAX_TASKS],
    length: usize,
}

impl TimerQueue {
    /// A queue without deadlines.
    pub const fn new() -> Self {
        Self { heap: [None; MAX_TASKS], position: [ABSENT; MAX_TASKS], deadline: [0; MAX_TASKS], length: 0 }
    }

    /// The earliest deadline.
    #[inline]
    pub fn next_deadline(&self) -> Option<u64> {
        let first = self.heap[0].filter(|_| self.length != 0)?;
        Some(self.deadline[first.index()])
    }

    /// How many tasks have one.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether no task has one.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Gives the task a deadline, in place of one that it may have.
    pub fn set(&mut self, task: Slot, deadline: u64) {
        let place = match self.place_of(task) {
            Some(place) => place,
            None => {
                let place = self.length;
                self.length += 1;
                self.put(place, task);
                place
            }
        };
        self.deadline[task.index()] = deadline;
        let place = self.rise(place);
        self.sink(place);
    }

    /// Takes the task's deadline away; whether it had one.
    pub fn cancel(&mut self, task: Slot) -> bool {
        let Some(place) = self.place_of(task) else { return false };
        self.take(place);
        true
    }

    /// The task with the earliest deadline, if that is not after `now`; its deadline is gone then.
    pub fn pop_due(&mut self, now: u64) -> Option<Slot> {
        let first = self.heap[0].filter(|_| self.length != 0)?;
        if self.deadline[first.index()] > now {
            return None;
        }
        self.take(0);
        Some(first)
    }

    fn place_of(&self, task: Slot) -> Option<usize> {
        usize::from(self.position[task.index()]).checked_sub(1)
    }

    fn put(&mut self, place: usize, task: Slot) {
        self.heap[place % MAX_TASKS] = Some(task);
        #[expect(clippy::cast_possible_truncation, reason = "a place is below MAX_TASKS, so that one more fits")]
        let position = place as u16 + 1;
        self.position[task.index()] = position;
    }

    fn take(&mut self, place: usize) {
        if let Some(task) = self.heap[place % MAX_TASKS] {
            self.position[task.index()] = ABSENT;
        }
        self.length -= 1;
        let last = self.heap[self.length % MAX_TASKS].take();
        if let Some(last) = last.filter(|_| place != self.length) {
            self.put(place, last);
            let place = self.rise(place);
            self.sink(place);
        }
    }

    fn key(&self, place: usize) -> u64 {
        match self.heap[place % MAX_TASKS] {
            Some(task) if place < self.length => self.deadline[task.index()],
            _ => u64::MAX,
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        let (first, second) = (self.heap[one % MAX_TASKS], self.heap[other % MAX_TASKS]);
        if let (Some(first), Some(second)) = (first, second) {
            self.put(one, second);
            self.put(other, first);
        }
    }

    fn rise(&mut self, mut place: usize) -> usize {
        while place > 0 && self.key(place) < self.key((place - 1) / 2) {
            self.swap(place, (place - 1) / 2);
            place = (place - 1) / 2;
        }
        place
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let child = if self.key(right) < self.key(left) { right } else { left };
            if child >= self.length || self.key(child) >= self.key(place) {
                return;
            }
            self.swap(place, child);
            place = child;
        }
    }
}

impl Default for TimerQueue {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
