//! How an operation is measured.
use crate::operations::{BenchError, Operation};
use core::fmt;

/// Odd, so that there is a median; few, so that the whole takes seconds in emulation.
const ROUNDS: usize = 7;

/// A figure with one decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tenths(u64);

impl Tenths {
    pub(crate) fn per(total: u64, count: u32) -> Self {
        Self(total.saturating_mul(10) / u64::from(count.max(1)))
    }
}

impl fmt::Display for Tenths {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// What the rounds gave.
pub(crate) struct Measurement {
    /// Ticks of one operation in the median round.
    pub(crate) median: Tenths,
    /// How far the slowest round was above the fastest, in percent.
    pub(crate) spread: u64,
    /// Operations per round.
    pub(crate) iterations: u32,
}

pub(crate) fn measure(operation: &Operation) -> Result<Measurement, BenchError> {
    let iterations = operation.iterations;
    let mut rounds = [Tenths(0); ROUNDS];
    // Fills caches and pools; what it takes does not count.
    (operation.round)(iterations / 4 + 1)?;
    for round in &mut rounds {
        *round = Tenths::per((operation.round)(iterations)?, iterations * operation.parts);
    }
    rounds.sort_unstable();
    let [fastest, .., slowest] = rounds;
    let median = rounds.get(ROUNDS / 2).copied().unwrap_or(fastest);
    let spread = 100 * (slowest.0 - fastest.0) / fastest.0.max(1);
    Ok(Measurement { median, spread, iterations })
}
