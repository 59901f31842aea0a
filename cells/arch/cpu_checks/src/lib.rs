//! Checks of CPUs, interrupts, time and spin locks on the running system.
//!
//! Each check takes well under two seconds on a busy machine, leaves nothing behind and may be run at any time, on any
//! number of CPUs, but not twice at once: some register a vector. A failed check says what was found and expected.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod cpus;
mod locks;
mod logging;
mod time;

use core::fmt;
use core::time::Duration;

use apic::ApicError;
use interrupts::RegisterError;
use nmi::NmiError;
use real_time_clock::ClockError;
use task::{Ended, SpawnError};

/// What a check found wrong.
#[derive(Debug)]
pub enum CheckError {
    /// A number is not what it must be.
    Value {
        /// Of what.
        what: &'static str,
        /// What it is.
        found: u64,
        /// What it must be.
        expected: u64,
    },
    /// Something is not so.
    Not(&'static str),
    /// Something did not happen in time.
    Late(&'static str),
    /// A vector is not to be had.
    Vector(RegisterError),
    /// A message was not sent.
    Apic(ApicError),
    /// A CPU took no NMI.
    Nmi(NmiError),
    /// The date is not to be had.
    Date(ClockError),
    /// A task was not made.
    Spawn(SpawnError),
    /// A task ended unexpectedly.
    Ended(Ended),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { what, found, expected } => write!(f, "{what}: found {found}, expected {expected}"),
            Self::Not(what) => write!(f, "not so: {what}"),
            Self::Late(what) => write!(f, "not in time: {what}"),
            Self::Vector(error) => error.fmt(f),
            Self::Apic(error) => error.fmt(f),
            Self::Nmi(error) => error.fmt(f),
            Self::Date(error) => error.fmt(f),
            Self::Spawn(error) => error.fmt(f),
            Self::Ended(ended) => write!(f, "a task of the check {ended}"),
        }
    }
}

impl core::error::Error for CheckError {}

macro_rules! convert {
    ($($variant:ident($type:ty)),+) => {$(
        impl From<$type> for CheckError {
            fn from(error: $type) -> Self {
                Self::$variant(error)
            }
        }
    )+};
}
convert!(Vector(RegisterError), Apic(ApicError), Nmi(NmiError), Date(ClockError), Spawn(SpawnError), Ended(Ended));

/// The outcome of a check.
pub type Outcome = Result<(), CheckError>;

/// A check and its name.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What is checked, as a sentence in one word.
    pub name: &'static str,
    /// Does it.
    pub run: fn() -> Outcome,
}

const fn check(name: &'static str, run: fn() -> Outcome) -> Check {
    Check { name, run }
}

/// All checks, the simplest first.
pub const CHECKS: &[Check] = &[
    check("listed-cpus-run", cpus::listed_cpus_run),
    check("apic-numbers-differ", cpus::apic_numbers_differ),
    check("start-code-is-gone", cpus::start_code_is_gone),
    check("vectors-have-one-handler", cpus::vectors_have_one_handler),
    check("messages-reach-each-cpu", cpus::messages_reach_each_cpu),
    check("each-cpu-ticks", cpus::each_cpu_ticks),
    check("nmi-shows-each-cpu", cpus::nmi_shows_each_cpu),
    check("clock-never-goes-back", time::clock_never_goes_back),
    check("clock-and-date-agree", time::clock_and_date_agree),
    check("guard-keeps-the-cpu", time::guard_keeps_the_cpu),
    check("interrupt-guards-nest", time::interrupt_guards_nest),
    check("interrupt-guards-go-in-any-order", time::interrupt_guards_go_in_any_order),
    check("spin-lock-excludes", locks::spin_lock_excludes),
    check("preempt-lock-excludes", locks::preempt_lock_excludes),
    check("lost-lock-is-poisoned", locks::lost_lock_is_poisoned),
    check("relock-is-refused", locks::relock_is_refused),
    check("ledger-follows-locks", locks::ledger_follows_locks),
    check("log-keeps-lines", logging::log_keeps_lines),
    check("log-works-inside-itself", logging::log_works_inside_itself),
];

/// How long anything that must happen may take on an emulated machine whose host is busy.
const PATIENCE: Duration = Duration::from_secs(5);

fn expect(what: &'static str, found: u64, expected: u64) -> Outcome {
    if found == expected { Ok(()) } else { Err(CheckError::Value { what, found, expected }) }
}

fn holds(what: &'static str, so: bool) -> Outcome {
    if so { Ok(()) } else { Err(CheckError::Not(what)) }
}

/// Waits until something is so.
fn eventually(what: &'static str, so: impl Fn() -> bool) -> Outcome {
    let deadline = clock::now() + PATIENCE;
    while !so() {
        if clock::now() >= deadline {
            return Err(CheckError::Late(what));
        }
        task::sleep(Duration::from_millis(1));
    }
    Ok(())
}
