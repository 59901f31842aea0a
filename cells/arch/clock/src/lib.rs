//! Time since boot, from the time stamp counter. [`init`] measures the rate of this counter against the interval timer
//! (PIT).
//!
//! Guarantees: [`now`] is one instruction, never goes back on one CPU, and may be called from anywhere at any time.
//! Before [`init`] the rate is taken to be 1 GHz, so early times are wrong in scale but not in order. A machine
//! without a working PIT keeps that rate; [`is_calibrated`] tells. Nothing here allocates, locks or fails.
#![cfg_attr(not(test), no_std)]

mod pit;

use core::arch::x86_64::_rdtsc;
use core::hint;
use core::ops::{Add, Sub};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;

/// Ticks per second until they have been measured; also QEMU's rate under `-icount shift=0`.
const ASSUMED_RATE: u64 = 1_000_000_000;

/// The fewest looks after which waiting in a spin is given up.
const LOOKS: u64 = 100;

static RATE: AtomicU64 = AtomicU64::new(ASSUMED_RATE);
static BOOT: AtomicU64 = AtomicU64::new(0);
static CALIBRATED: AtomicBool = AtomicBool::new(false);

/// A moment, as the value of the time stamp counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Instant {
    /// The counter's value.
    pub ticks: u64,
}

impl Instant {
    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub fn duration_since(self, earlier: Self) -> Duration {
        ticks_to_duration(self.ticks.saturating_sub(earlier.ticks))
    }

    /// The time from this moment to now.
    pub fn elapsed(self) -> Duration {
        now().duration_since(self)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self { ticks: self.ticks.saturating_add(duration_to_ticks(duration)) }
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

/// The present moment.
#[inline]
pub fn now() -> Instant {
    // SAFETY: every x86_64 processor has the instruction, and the kernel may always use it.
    Instant { ticks: unsafe { _rdtsc() } }
}

/// Measures the rate of the counter, for about ten milliseconds, with interrupts as they are (best off). `entry` is
/// the counter's value when the kernel was entered: time since boot counts from there. Only the first call counts.
pub fn init(entry: Instant) {
    if BOOT.compare_exchange(0, entry.ticks, Ordering::Relaxed, Ordering::Relaxed).is_err() {
        return;
    }
    if let Some(rate) = pit::measure_rate() {
        RATE.store(rate, Ordering::Relaxed);
        CALIBRATED.store(true, Ordering::Relaxed);
    }
}

/// Whether the rate was measured rather than assumed.
pub fn is_calibrated() -> bool {
    CALIBRATED.load(Ordering::Relaxed)
}

/// Ticks per second.
#[inline]
pub fn ticks_per_second() -> u64 {
    RATE.load(Ordering::Relaxed)
}

/// Ticks per microsecond, rounded down, at least 1.
pub fn ticks_per_microsecond() -> u64 {
    (ticks_per_second() / 1_000_000).max(1)
}

/// The moment at which the kernel was entered.
pub fn boot_instant() -> Instant {
    Instant { ticks: BOOT.load(Ordering::Relaxed) }
}

/// The time since the kernel was entered.
pub fn since_boot() -> Duration {
    now().duration_since(boot_instant())
}

/// The duration of so many ticks.
pub fn ticks_to_duration(ticks: u64) -> Duration {
    duration_at(ticks_per_second(), ticks)
}

/// How many ticks it lasts; the largest count if it does not fit.
pub fn duration_to_ticks(duration: Duration) -> u64 {
    ticks_at(ticks_per_second(), duration)
}

/// Waits without giving up the CPU: for hardware that needs microseconds.
pub fn spin_for(duration: Duration) {
    let end = now() + duration;
    while now() < end {
        hint::spin_loop();
    }
}

/// Waits without giving up the CPU until `ready` says so; false if `limit` passed first. Time in which this CPU did not
/// look is hardly counted: a machine that its host stopped for a while sees the counter leap, and the other side was
/// stopped with it.
pub fn spin_until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let limit = duration_to_ticks(limit);
    let leap = (limit / LOOKS).max(1);
    let (mut waited, mut before) = (0, now().ticks);
    loop {
        if ready() {
            return true;
        }
        if waited >= limit {
            return false;
        }
        hint::spin_loop();
        let ticks = now().ticks;
        waited += ticks.saturating_sub(before).min(leap);
        before = ticks;
    }
}

const NANOSECONDS: u64 = 1_000_000_000;

fn duration_at(rate: u64, ticks: u64) -> Duration {
    // The remainder is below the rate, which is below 18 GHz, so the product fits; and the quotient is below 10^9.
    let nanoseconds = (ticks % rate).saturating_mul(NANOSECONDS) / rate;
    Duration::new(ticks / rate, u32::try_from(nanoseconds).unwrap_or(0))
}

fn ticks_at(rate: u64, duration: Duration) -> u64 {
    let part = rate.saturating_mul(u64::from(duration.subsec_nanos())) / NANOSECONDS;
    rate.saturating_mul(duration.as_secs()).saturating_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_and_durations_convert_both_ways() {
        for rate in [1_000_000_000, 2_399_998_877, 5_000_000_000] {
            for duration in
                [Duration::ZERO, Duration::from_micros(1), Duration::from_millis(50), Duration::from_secs(86_400)]
            {
                let back = duration_at(rate, ticks_at(rate, duration));
                assert!(duration.abs_diff(back) <= Duration::from_nanos(1), "{rate}: {duration:?} became {back:?}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_for_ever() {
        assert_eq!(ticks_at(2_000_000_000, Duration::MAX), u64::MAX);
        assert_eq!(Instant { ticks: 5 } - Instant { ticks: 9 }, Duration::ZERO);
    }

    #[test]
    fn time_goes_on() {
        let start = now();
        spin_for(Duration::from_micros(10));
        assert!(now() > start);
        assert!(!spin_until(Duration::from_micros(1), || false));
        assert!(spin_until(Duration::ZERO, || true));
    }
}
