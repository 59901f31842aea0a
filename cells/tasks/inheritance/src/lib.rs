//! Which priorities a task inherits from the tasks that wait for locks that it holds.
//!
//! Each contended lock donates one priority to its holder, the highest among its waiters; a task inherits the
//! highest that is donated to it. Guarantees, to the scheduler: donating, withdrawing and asking take constant
//! time, and a withdrawn donation leaves no trace. Withdrawing what was never donated is ignored.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use policy_interface::Priority;

/// The donations to one task: how many at each level.
#[derive(Debug)]
pub struct Donations {
    counts: [u16; Priority::LEVELS],
    /// Bit *n* is set while level *n* has donations.
    levels: u32,
}

impl Donations {
    /// No donation.
    pub const fn new() -> Self {
        Self { counts: [0; Priority::LEVELS], levels: 0 }
    }

    /// One more lock donates `priority`.
    pub fn add(&mut self, priority: Priority) {
        let level = priority.level();
        let count = &mut self.counts[level as usize];
        *count = count.saturating_add(1);
        self.levels |= 1 << level;
    }

    /// One lock less donates `priority`.
    pub fn remove(&mut self, priority: Priority) {
        let level = priority.level();
        let count = &mut self.counts[level as usize];
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.levels &= !(1 << level);
        }
    }

    /// What the task inherits; the lowest priority if nothing.
    pub fn highest(&self) -> Priority {
        let level = self.levels.checked_ilog2().unwrap_or(0);
        u8::try_from(level).ok().and_then(Priority::new).unwrap_or(Priority::LOWEST)
    }
}

impl Default for Donations {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(level: u8) -> Priority {
        Priority::new(level).unwrap()
    }

    #[test]
    fn the_highest_donation_counts_until_it_is_withdrawn() {
        let mut donations = Donations::new();
        assert_eq!(donations.highest(), Priority::LOWEST);
        donations.add(level(7));
        donations.add(level(31));
        donations.add(level(7));
        assert_eq!(donations.highest(), level(31));
        donations.remove(level(31));
        assert_eq!(donations.highest(), level(7));
        donations.remove(level(7));
        assert_eq!(donations.highest(), level(7));
        donations.remove(level(7));
        assert_eq!(donations.highest(), Priority::LOWEST);
    }

    #[test]
    fn withdrawing_too_often_does_no_harm() {
        let mut donations = Donations::new();
        donations.remove(level(3));
        donations.add(level(3));
        assert_eq!(donations.highest(), level(3));
    }
}
