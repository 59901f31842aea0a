//! The day of the week with the date: an application, and a new function of the clock's cell.

use core::fmt;

use real_time_clock::DateTime;

struct WithDay(DateTime);

impl fmt::Display for WithDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.0.weekday(), self.0)
    }
}

/// Day of the week, date and time.
pub(crate) fn of(date: DateTime) -> impl fmt::Display {
    WithDay(date)
}
