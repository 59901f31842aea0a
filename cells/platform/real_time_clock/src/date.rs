//! Dates of the Gregorian calendar.

mod display;
mod seconds;

/// A year of the Gregorian calendar.
pub type Year = u16;

const SECONDS_PER_DAY: u64 = 86_400;

/// A date and time of day in UTC, from 1970 on; always a valid one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DateTime {
    year: Year,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

const fn is_leap(year: Year) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in_year(year: Year) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_in_month(year: Year, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl DateTime {
    /// The date, if there is such a one.
    pub fn new(year: Year, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<Self> {
        let exists = year >= 1970
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        exists.then_some(Self { year, month, day, hour, minute, second })
    }

    /// The date so many seconds after the beginning of 1970; the year is at most the largest [`Year`].
    pub fn from_seconds_since_1970(seconds: u64) -> Self {
        let mut days = seconds / SECONDS_PER_DAY;
        let mut year = 1970;
        while days >= days_in_year(year) && year < Year::MAX {
            days -= days_in_year(year);
            year += 1;
        }
        let mut month = 1;
        while days >= u64::from(days_in_month(year, month)) && month < 12 {
            days -= u64::from(days_in_month(year, month));
            month += 1;
        }
        let small = |value: u64| u8::try_from(value).unwrap_or(u8::MAX);
        let time = seconds % SECONDS_PER_DAY;
        Self {
            year,
            month,
            day: small(days.min(u64::from(days_in_month(year, month)) - 1) + 1),
            hour: small(time / 3600),
            minute: small(time / 60 % 60),
            second: small(time % 60),
        }
    }

    /// Year, month and day.
    pub fn date(self) -> (Year, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// Hour, minute and second.
    pub fn time(self) -> (u8, u8, u8) {
        (self.hour, self.minute, self.second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            let date = DateTime::from_seconds_since_1970(seconds);
            assert_eq!(date.to_string(), text);
            assert_eq!(date.seconds_since_1970(), seconds);
        }
    }

    #[test]
    fn every_day_of_a_century_converts_both_ways() {
        for day in 0..36_525 * 2 {
            let seconds = day * SECONDS_PER_DAY + 12_345;
            let date = DateTime::from_seconds_since_1970(seconds);
            let ((year, month, day), (hour, minute, second)) = (date.date(), date.time());
            assert_eq!(DateTime::new(year, month, day, hour, minute, second), Some(date));
            assert_eq!(date.seconds_since_1970(), seconds);
        }
    }
}
