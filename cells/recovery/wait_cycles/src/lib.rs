//! Finds tasks that wait for each other in a circle.
//!
//! Guarantees: [`find`] reports a circle if and only if the relation it is shown has one within reach, each circle by
//! its member with the highest number (the youngest: it has the least to lose, and all looks name the same one).
//! It allocates nothing and always ends. The relation may change while it is read, so a circle
//! counts only when it is found again later: [`Suspects`] remembers.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

/// Tasks in the longest chain that is followed.
const LONGEST_CHAIN: usize = 256;

/// The circle that `start` is in, if it is in one: its youngest member and its length.
pub fn find(start: u64, waits_for: impl Fn(u64) -> Option<u64>) -> Option<Circle> {
    let mut youngest = start;
    let mut next = start;
    for length in 1..=LONGEST_CHAIN {
        next = waits_for(next)?;
        if next == start {
            return Some(Circle { youngest, length });
        }
        youngest = youngest.max(next);
    }
    None
}

/// Tasks that wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circle {
    /// The member with the highest number.
    pub youngest: u64,
    /// How many members there are.
    pub length: usize,
}

/// The circles seen in the last look, each by its youngest member.
#[derive(Debug, Default)]
pub struct Suspects {
    seen: [u64; Self::CAPACITY],
    count: usize,
}

impl Suspects {
    /// Circles that are remembered from one look to the next.
    pub const CAPACITY: usize = 16;

    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self { seen: [0; Self::CAPACITY], count: 0 }
    }

    /// Looks at all `tasks`; calls `confirmed` for each circle that was there in the last look too. More than 16
    /// circles at once are dealt with in turn.
    pub fn look(
        &mut self,
        tasks: impl Iterator<Item = u64>,
        waits_for: impl Fn(u64) -> Option<u64>,
        mut confirmed: impl FnMut(Circle),
    ) {
        let mut now = Self::new();
        for circle in tasks.filter_map(|task| find(task, &waits_for).filter(|circle| circle.youngest == task)) {
            if self.seen[..self.count].contains(&circle.youngest) {
                confirmed(circle);
            } else if let Some(slot) = now.seen.get_mut(now.count) {
                *slot = circle.youngest;
                now.count += 1;
            }
        }
        *self = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(pairs: &[(u64, u64)]) -> impl Fn(u64) -> Option<u64> + '_ {
        |task| pairs.iter().find(|(waiter, _)| *waiter == task).map(|(_, holder)| *holder)
    }

    #[test]
    fn a_task_may_wait_for_itself() {
        assert_eq!(find(3, relation(&[(3, 3)])), Some(Circle { youngest: 3, length: 1 }));
    }

    #[test]
    fn every_member_names_the_same_youngest() {
        let pairs = [(1, 5), (5, 2), (2, 1)];
        for member in [1, 2, 5] {
            assert_eq!(find(member, relation(&pairs)), Some(Circle { youngest: 5, length: 3 }));
        }
    }

    #[test]
    fn who_waits_for_a_circle_is_not_in_it() {
        assert_eq!(find(9, relation(&[(9, 1), (1, 2), (2, 1)])), None);
    }

    #[test]
    fn a_chain_that_ends_is_no_circle() {
        assert_eq!(find(1, relation(&[(1, 2), (2, 3)])), None);
        assert_eq!(find(1, |task| Some(task + 1)), None);
    }

    #[test]
    fn a_circle_counts_when_it_is_seen_twice() {
        let pairs = [(1, 2), (2, 1), (7, 7)];
        let mut suspects = Suspects::new();
        let mut found = Vec::new();
        suspects.look([1, 2, 7].into_iter(), relation(&pairs), |circle| found.push(circle.youngest));
        assert!(found.is_empty());
        suspects.look([1, 2, 7].into_iter(), relation(&pairs[..2]), |circle| found.push(circle.youngest));
        assert_eq!(found, [2]);
        suspects.look([1, 2, 7].into_iter(), relation(&[]), |circle| found.push(circle.youngest));
        suspects.look([1, 2, 7].into_iter(), relation(&pairs[..2]), |circle| found.push(circle.youngest));
        assert_eq!(found, [2]);
    }
}
