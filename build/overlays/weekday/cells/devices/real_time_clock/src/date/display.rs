//! Dates as text, and their days of the week.

use core::fmt;

use super::{DateTime, SECONDS_PER_DAY};

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

impl DateTime {
    /// The day of the week.
    pub fn weekday(self) -> &'static str {
        const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
        // 1970 began on a Thursday.
        let days = self.seconds_since_1970() / SECONDS_PER_DAY;
        usize::try_from(days % 7).ok().and_then(|day| DAYS.get(day).copied()).unwrap_or_default()
    }
}
