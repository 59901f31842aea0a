//! Refused: Years beyond 65,535: every value of the type `DateTime`, wherever it lies, would have to grow.

/// A year of the Gregorian calendar.
pub type Year = u32;
