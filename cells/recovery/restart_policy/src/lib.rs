//! When a supervised task is started anew, after which pause, and which others with it: arithmetic only.
//!
//! Guarantees: the pause before a restart is at least [`SHORTEST_PAUSE`], grows with each failure in a row and never
//! exceeds [`LONGEST_PAUSE`]; a task that fails more often than its [`Intensity`] allows is given up. Pure: the
//! caller gives the time. Cannot fail.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use core::ops::Range;
use core::time::Duration;

/// The pause before the first restart in a row: enough for the failed task's devices to come to rest, and for a person to see it.
pub const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// The pause does not grow beyond this.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Failures that a history can hold, hence the most restarts that an intensity can allow.
pub const MAX_RESTARTS: usize = 16;

/// The children that are restarted when one of a group fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Only the one that failed.
    OneForOne,
    /// The one that failed and those started after it, which may depend on it.
    RestForOne,
}

impl Strategy {
    /// The members of a group of `count` that are restarted when member `failed` fails.
    pub fn affected(self, failed: usize, count: usize) -> Range<usize> {
        match self {
            Self::OneForOne => failed..(failed + 1).min(count),
            Self::RestForOne => failed..count,
        }
    }
}

/// When the end of a task calls for a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Always: it is not meant to end.
    Permanent,
    /// If it failed; when it returns, its work is done.
    Transient,
    /// Never.
    Temporary,
}

impl Restart {
    /// Whether a task that ended so is to be restarted.
    pub fn applies(self, failed: bool) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => failed,
            Self::Temporary => false,
        }
    }
}

/// How often a task may fail: at most `restarts` times `within` any such span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts in the span; a greater number than [`MAX_RESTARTS`] counts as that.
    pub restarts: usize,
    /// The span. A task that runs longer than this without failing starts afresh; pauses do not count as running.
    pub within: Duration,
}

impl Default for Intensity {
    /// Five failures in ten seconds, as in OTP's customs for services that depend on nothing remote.
    fn default() -> Self {
        Self { restarts: 5, within: Duration::from_secs(10) }
    }
}

/// The measure after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Restart after the pause.
    Restart {
        /// How long to wait.
        pause: Duration,
        /// The number of this restart since the task last ran undisturbed, from 1.
        in_a_row: u32,
    },
    /// It fails too often.
    GiveUp,
}

/// The recent failures of one task.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Times of the latest failures, oldest first.
    failures: [Duration; MAX_RESTARTS],
    count: usize,
    in_a_row: u32,
    /// When it was to run again after the latest failure.
    resumed: Duration,
}

impl History {
    /// No failure yet.
    pub const fn new() -> Self {
        Self { failures: [Duration::ZERO; MAX_RESTARTS], count: 0, in_a_row: 0, resumed: Duration::ZERO }
    }

    /// Notes a failure at `now`, and decides.
    pub fn failed(&mut self, now: Duration, intensity: Intensity) -> Decision {
        let within = |time: Duration| now.saturating_sub(time) < intensity.within;
        if !within(self.resumed) {
            self.in_a_row = 0;
        }
        let recent = self.failures[..self.count].iter().filter(|&&time| within(time)).count();
        self.note(now);
        if recent >= intensity.restarts.min(MAX_RESTARTS) {
            return Decision::GiveUp;
        }
        self.in_a_row += 1;
        let pause = pause(self.in_a_row);
        self.resumed = now + pause;
        Decision::Restart { pause, in_a_row: self.in_a_row }
    }

    fn note(&mut self, now: Duration) {
        if self.count == MAX_RESTARTS {
            self.failures.rotate_left(1);
            self.count -= 1;
        }
        self.failures[self.count] = now;
        self.count += 1;
    }
}

/// The pause before the given restart in a row: doubled each time.
fn pause(in_a_row: u32) -> Duration {
    let doublings = in_a_row.saturating_sub(1).min(16);
    (SHORTEST_PAUSE * (1 << doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn pauses(history: &mut History, times: &[u64], intensity: Intensity) -> Vec<Option<u64>> {
        times
            .iter()
            .map(|&time| match history.failed(at(time), intensity) {
                Decision::Restart { pause, .. } => Some(pause.as_millis() as u64),
                Decision::GiveUp => None,
            })
            .collect()
    }

    #[test]
    fn the_pause_doubles_with_each_failure_in_a_row() {
        let intensity = Intensity { restarts: 16, within: at(100_000) };
        let found = pauses(&mut History::new(), &[0, 100, 200, 300, 400, 500, 600, 700, 800], intensity);
        let expected = [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000];
        assert_eq!(found, expected.map(Some));
    }

    #[test]
    fn a_task_that_fails_too_often_is_given_up() {
        let intensity = Intensity { restarts: 3, within: at(1000) };
        let found = pauses(&mut History::new(), &[0, 10, 20, 30], intensity);
        assert_eq!(found, [Some(50), Some(100), Some(200), None]);
    }

    #[test]
    fn old_failures_are_forgiven() {
        let intensity = Intensity { restarts: 2, within: at(1000) };
        let found = pauses(&mut History::new(), &[0, 900, 1100, 3000, 3100], intensity);
        assert_eq!(found, [Some(50), Some(100), Some(200), Some(50), Some(100)]);
    }

    #[test]
    fn a_pause_is_no_good_run() {
        // Each failure comes half a second after the restart. The pauses before restarts grow longer than the span.
        let intensity = Intensity { restarts: MAX_RESTARTS, within: at(1000) };
        let (mut history, mut now, mut found) = (History::new(), 0, Vec::new());
        for _ in 0..12 {
            let Decision::Restart { pause, .. } = history.failed(at(now), intensity) else { panic!("given up") };
            found.push(pause.as_millis());
            now += 500 + pause.as_millis() as u64;
        }
        assert_eq!(found, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000, 5000]);
        assert_eq!(pauses(&mut history, &[now + 500], intensity), [Some(50)]);
    }

    #[test]
    fn the_history_never_overflows() {
        let intensity = Intensity { restarts: 1000, within: at(1_000_000) };
        let mut history = History::new();
        let decisions: Vec<_> = (0..40).map(|time| history.failed(at(time), intensity)).collect();
        let restarts = decisions.iter().filter(|decision| **decision != Decision::GiveUp).count();
        assert_eq!(restarts, MAX_RESTARTS);
    }

    #[test]
    fn rest_for_one_takes_those_started_later() {
        assert_eq!(Strategy::OneForOne.affected(1, 4), 1..2);
        assert_eq!(Strategy::RestForOne.affected(1, 4), 1..4);
        assert_eq!(Strategy::OneForOne.affected(3, 4), 3..4);
    }

    #[test]
    fn restart_kinds() {
        assert!(Restart::Permanent.applies(false) && Restart::Permanent.applies(true));
        assert!(!Restart::Transient.applies(false) && Restart::Transient.applies(true));
        assert!(!Restart::Temporary.applies(true));
    }
}
