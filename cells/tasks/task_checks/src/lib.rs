//! Checks of tasks and of what they wait with, on the running system.
//!
//! Each check makes tasks of its own, takes well under two seconds on a busy machine and leaves nothing behind; it may
//! be run at any time, on any number of CPUs. A failed check says what was found and what was expected.
#![no_std]
#![forbid(unsafe_code)]
#![feature(thread_local)]

extern crate alloc;

mod channels;
mod ends;
mod life;
mod locks;

use core::fmt;
use core::time::Duration;

use async_channel::{CreateError, ReceiveError};
use clock::Instant;
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
    /// A task was not made.
    Spawn(SpawnError),
    /// A channel was not made.
    Channel(CreateError),
    /// A message was not received.
    Receive(ReceiveError),
    /// A task ended unexpectedly.
    Ended(Ended),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { what, found, expected } => write!(f, "{what}: found {found}, expected {expected}"),
            Self::Not(what) => write!(f, "not so: {what}"),
            Self::Late(what) => write!(f, "not in time: {what}"),
            Self::Spawn(error) => error.fmt(f),
            Self::Channel(error) => error.fmt(f),
            Self::Receive(error) => error.fmt(f),
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
convert!(Spawn(SpawnError), Channel(CreateError), Receive(ReceiveError), Ended(Ended));

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
    check("join-gives-the-result", life::join_gives_the_result),
    check("sleep-lasts", life::sleep_lasts),
    check("tasks-are-preempted", life::tasks_are_preempted),
    check("affinity-is-kept", life::affinity_is_kept),
    check("all-cpus-work", life::all_cpus_work),
    check("thread-locals-are-separate", life::thread_locals_are_separate),
    check("many-tasks-leave-nothing", life::many_tasks_leave_nothing),
    check("panic-is-reported", ends::panic_is_reported),
    check("exit-has-no-result", ends::exit_has_no_result),
    check("kill-of-blocked", ends::kill_of_blocked),
    check("kill-of-sleeping", ends::kill_of_sleeping),
    check("kill-of-ready", ends::kill_of_ready),
    check("kill-of-new", ends::kill_of_new),
    check("kill-of-computing", ends::kill_of_computing),
    check("kill-by-number", ends::kill_by_number),
    check("mutex-excludes", locks::mutex_excludes),
    check("mutex-poisons", locks::mutex_poisons),
    check("mutex-gives-up", locks::mutex_gives_up),
    check("mutex-holder-inherits", locks::mutex_holder_inherits),
    check("kill-of-lock-waiter", locks::kill_of_lock_waiter),
    check("rwlock-shares-and-excludes", locks::rwlock_shares_and_excludes),
    check("condition-is-signalled", locks::condition_is_signalled),
    check("rendezvous-meets", channels::rendezvous_meets),
    check("rendezvous-disconnects", channels::rendezvous_disconnects),
    check("rendezvous-gives-back", channels::rendezvous_gives_back),
    check("channel-keeps-order", channels::channel_keeps_order),
    check("channel-loses-nothing", channels::channel_loses_nothing),
    check("channel-disconnects", channels::channel_disconnects),
    check("channel-drops-the-rest", channels::channel_drops_the_rest),
    check("eviction-is-harmless", channels::eviction_is_harmless),
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
    let deadline = patience();
    while !so() {
        if clock::now() >= deadline {
            return Err(CheckError::Late(what));
        }
        task::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn patience() -> Instant {
    clock::now() + PATIENCE
}
