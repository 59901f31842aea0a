//! How far the calendar reaches.

/// A year of the Gregorian calendar.
pub type Year = u16;
