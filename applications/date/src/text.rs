//! The text of a date.

use core::fmt::Display;

use real_time_clock::DateTime;

/// Date and time.
pub(crate) fn of(date: DateTime) -> impl Display {
    date
}
