//! The date and the time of day, from the battery-backed clock of the PC (MC146818), which firmware and QEMU keep in
//! UTC.
//!
//! Guarantees: the hardware is read once, by [`init`]; from then on [`now`] adds the time that has passed, so it never
//! jumps and may be called anywhere. [`DateTime`] is a valid date by construction. How it can fail: hardware that does
//! not answer, or answers nonsense, is a [`ClockError`] of `init`, and [`now`] is `None`.
#![cfg_attr(not(test), no_std)]

mod date;

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use core::{error, fmt};

use port_registers::{ReadOnly, WriteOnly};
use spin_lock::SpinLock;
use tock_registers::interfaces::{Readable, Writeable};

pub use date::{DateTime, Year};

/// Why the date is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockError {
    /// The clock is updating itself for longer than it may.
    Busy,
    /// The registers hold no valid date; these are year (of the century), month, day, hour, minute, second.
    Invalid([u8; 6]),
}

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => write!(f, "the real-time clock does not stop updating itself"),
            Self::Invalid(registers) => write!(f, "the real-time clock shows no valid date: {registers:?}"),
        }
    }
}

impl error::Error for ClockError {}

/// Seconds from 1970 to the moment at which the kernel was entered; zero while unknown.
static BOOT_TIME: AtomicU64 = AtomicU64::new(0);

/// The address and data ports are one resource.
// SAFETY: the ports of the real-time clock, and this cell is its only driver; the ports reach no memory.
static PORTS: SpinLock<Ports> =
    SpinLock::new(unsafe { Ports { address: WriteOnly::new(0x70), data: ReadOnly::new(0x71) } });

struct Ports {
    address: WriteOnly<u8>,
    data: ReadOnly<u8>,
}

// The registers: Motorola MC146818 datasheet, "Address map" and "Registers".

/// Registers: second, minute, hour, day, month, year.
const FIELDS: [u8; 6] = [0x00, 0x02, 0x04, 0x07, 0x08, 0x09];
const STATUS_A: u8 = 0x0a;
const STATUS_B: u8 = 0x0b;
/// Status A: the clock is about to change its registers, which takes at most 2 ms.
const UPDATING: u8 = 1 << 7;
/// Status B: hours count to 24.
const HOURS_24: u8 = 1 << 1;
/// Status B: binary, not decimal digits.
const BINARY: u8 = 1 << 2;
/// Hour: afternoon, if hours count to 12.
const AFTERNOON: u8 = 1 << 7;

impl Ports {
    fn read(&mut self, register: u8) -> u8 {
        // The top bit of the address stays clear, which leaves NMIs on.
        self.address.set(register);
        self.data.get()
    }

    fn fields(&mut self) -> [u8; 6] {
        FIELDS.map(|register| self.read(register))
    }

    /// Two equal readings outside an update are a consistent one.
    fn stable_fields(&mut self) -> Result<[u8; 6], ClockError> {
        for _ in 0..4 {
            if !clock::spin_until(Duration::from_millis(20), || self.read(STATUS_A) & UPDATING == 0) {
                return Err(ClockError::Busy);
            }
            let fields = self.fields();
            if fields == self.fields() {
                return Ok(fields);
            }
        }
        Err(ClockError::Busy)
    }
}

/// Reads the hardware, with interrupts off for some microseconds. A date that is known already stays.
///
/// # Errors
/// If the hardware does not answer, or shows no valid date.
pub fn init() -> Result<DateTime, ClockError> {
    if let Some(date) = now() {
        return Ok(date);
    }
    let mut ports = PORTS.lock();
    let fields = ports.stable_fields()?;
    let passed = clock::since_boot();
    let mode = ports.read(STATUS_B);
    drop(ports);
    let date = decode(fields, mode)?;
    BOOT_TIME.store(date.seconds_since_1970().saturating_sub(passed.as_secs()), Ordering::Relaxed);
    Ok(date)
}

/// The present date and time in UTC, if [`init`] found it.
pub fn now() -> Option<DateTime> {
    let boot = BOOT_TIME.load(Ordering::Relaxed);
    (boot != 0).then(|| DateTime::from_seconds_since_1970(boot + clock::since_boot().as_secs()))
}

fn decode(fields: [u8; 6], mode: u8) -> Result<DateTime, ClockError> {
    let number = |value: u8| if mode & BINARY != 0 { value } else { (value >> 4) * 10 + (value & 0x0f) };
    let [second, minute, hour, day, month, year] = fields;
    let (second, minute, day, month, year) = (number(second), number(minute), number(day), number(month), number(year));
    let hour = if mode & HOURS_24 != 0 {
        number(hour)
    } else {
        number(hour & !AFTERNOON) % 12 + if hour & AFTERNOON != 0 { 12 } else { 0 }
    };
    // The register for the century is at no fixed place; this system is younger than 2000.
    DateTime::new(2000 + Year::from(year), month, day, hour, minute, second)
        .ok_or(ClockError::Invalid([year, month, day, hour, minute, second]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_digits_and_afternoons_are_decoded() {
        let date = decode([0x59, 0x30, 0x81, 0x22, 0x11, 0x26], 0).unwrap();
        assert_eq!(date.to_string(), "2026-11-22 13:30:59 UTC");
        let midnight = decode([0, 0, 0x12, 1, 1, 0x26], 0).unwrap();
        assert_eq!(midnight.to_string(), "2026-01-01 00:00:00 UTC");
    }

    #[test]
    fn binary_and_24_hours_are_decoded() {
        let date = decode([5, 6, 23, 29, 2, 28], BINARY | HOURS_24).unwrap();
        assert_eq!(date.to_string(), "2028-02-29 23:06:05 UTC");
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(decode([0xff; 6], BINARY | HOURS_24), Err(ClockError::Invalid([255; 6])));
        assert!(decode([0, 0, 0, 29, 2, 27], BINARY | HOURS_24).is_err());
    }
}
