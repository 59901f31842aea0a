//! Dates as numbers.

use super::{DateTime, SECONDS_PER_DAY, days_in_month, days_in_year};

impl DateTime {
    /// Seconds since the first of January 1970, without leap seconds.
    pub fn seconds_since_1970(self) -> u64 {
        let Self { year, month, day, hour, minute, second } = self;
        let years: u64 = (1970..year).map(days_in_year).sum();
        let months: u64 = (1..month).map(|month| u64::from(days_in_month(year, month))).sum();
        let days = years + months + u64::from(day) - 1;
        let [hour, minute, second] = [hour, minute, second].map(u64::from);
        days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second
    }
}
