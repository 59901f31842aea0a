//! Notices tasks and CPUs that make no progress, and puts them on the recovery ladder.
//!
//! Guarantees:
//! - tasks that wait for each other's locks in a circle are found within two looks ([`look_for_deadlocks`]); the
//!   youngest of them is ended as a deadlock, which releases its locks to the others;
//! - a CPU that takes no interrupt for [`TIMEOUT`] is accused by NMI from a neighbour; the second time in a row, the task
//!   that keeps it is ended as a hang, wherever it is ([`on_tick`]). A timer's NMI does so for one CPU alone.
//!
//! A look allocates nothing. Can fail: where the CPU that hangs runs no task that could be ended, the system ends.
#![no_std]

mod alarm;
mod cpus;
mod deadlocks;

pub use alarm::{ALARM_LINE, on_alarm};
pub use cpus::{TIMEOUT, on_nmi, on_tick};
pub use deadlocks::{LOOK_INTERVAL, look_for_deadlocks};

use interrupts::Interrupt;

/// Starts the alarm if there is one CPU only; several CPUs watch each other at their ticks. `alarm` is ISA interrupt
/// [`ALARM_LINE`].
pub fn init(alarm: Interrupt) {
    if let Err(error) = alarm::init(alarm) {
        log::warn!("a hang of this CPU is not noticed: {error}");
    }
}
