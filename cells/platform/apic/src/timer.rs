//! The local APIC's timer: one per CPU, all of one rate.
//!
//! Source: Intel SDM volume 3, 12.5.4.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use crate::ApicError;
use crate::local::{self, MASKED, Register};
use interrupts::Registration;

const PERIODIC: u32 = 1 << 17;
/// Divide by 16: the 32 bits of the counter then last for more than a minute at 1 GHz.
const DIVIDE_BY_16: u32 = 0b0011;
/// How long to measure; the time stamp counter's own error is then the larger one.
const SPAN: Duration = Duration::from_millis(5);
const ATTEMPTS: usize = 8;

/// Counts per second, after division.
static RATE: AtomicU64 = AtomicU64::new(0);

/// Measures the rate against the time stamp counter.
pub(crate) fn measure() -> Result<(), ApicError> {
    local::write(Register::Divide, DIVIDE_BY_16);
    local::write(Register::Timer, MASKED);
    local::write(Register::InitialCount, u32::MAX);
    let (first_ticks, first_count) = closest_reading();
    clock::spin_for(SPAN);
    let (last_ticks, last_count) = closest_reading();
    local::write(Register::InitialCount, 0);
    let counted = u64::from(first_count.saturating_sub(last_count));
    let passed = clock::ticks_to_duration(last_ticks.saturating_sub(first_ticks)).as_nanos().max(1);
    let rate = u128::from(counted) * 1_000_000_000 / passed;
    if rate == 0 {
        return Err(ApicError::TimerStands);
    }
    RATE.store(u64::try_from(rate).unwrap_or(u64::MAX), Ordering::Release);
    Ok(())
}

/// Both counters, read as closely together as a few attempts make it.
fn closest_reading() -> (u64, u32) {
    let mut closest = (u64::MAX, 0, 0);
    for _ in 0..ATTEMPTS {
        let before = clock::now().ticks;
        let count = local::read(Register::CurrentCount);
        let width = clock::now().ticks.saturating_sub(before);
        if width < closest.0 {
            closest = (width, before + width / 2, count);
        }
    }
    (closest.1, closest.2)
}

/// Counts per second; zero before `init`.
pub fn timer_rate() -> u64 {
    RATE.load(Ordering::Acquire)
}

/// The counts that a duration lasts: at least one, at most the counter's largest value (more than half a minute).
fn counts(rate: u64, duration: Duration) -> u32 {
    let counts = u128::from(rate) * duration.as_nanos() / 1_000_000_000;
    u32::try_from(counts).unwrap_or(u32::MAX).max(1)
}

/// Has the calling CPU's timer interrupt it every `period`, at most half a minute. The caller owns the timer's interrupt.
pub fn start_periodic(timer: &Registration, period: Duration) {
    local::write(Register::Divide, DIVIDE_BY_16);
    local::write(Register::Timer, PERIODIC | u32::from(timer.interrupt().vector()));
    local::write(Register::InitialCount, counts(timer_rate(), period));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_become_counts_within_the_counter() {
        assert_eq!(counts(62_500_000, Duration::from_millis(10)), 625_000);
        assert_eq!(counts(62_500_000, Duration::ZERO), 1);
        assert_eq!(counts(62_500_000, Duration::from_secs(3600)), u32::MAX);
    }
}
