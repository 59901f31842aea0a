//! Checks of the memory of the running system: that it is as it must be, and that it does what it promises.
//!
//! Each of [`CHECKS`] leaves memory as it found it and may be run at any time, under load, on any CPU; counts that others change
//! meanwhile are compared only where that cannot matter. A failed check says what was found and what was expected.
#![no_std]

extern crate alloc;

mod audit;
mod disturbing_checks;
mod heap_checks;
mod mapping_checks;
mod ownership;

use core::fmt;

use frames::FramesError;
use mapping::{MapError, Permission, Refused, ShootdownTimeout, ViewError};
use pages::PagesError;
use stacks::StackError;

pub use audit::{Audit, audit};

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
    /// Something that must be refused was done.
    NotRefused(&'static str),
    /// Pages or frames are not to be had.
    Map(MapError),
    /// A view is not to be had.
    View(ViewError),
    /// A stack is not to be had.
    Stack(StackError),
    /// The heap does not give what the check needs.
    Heap,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { what, found, expected } => write!(f, "{what}: found {found:#x}, expected {expected:#x}"),
            Self::NotRefused(what) => write!(f, "not refused: {what}"),
            Self::Map(error) => error.fmt(f),
            Self::View(error) => error.fmt(f),
            Self::Stack(error) => error.fmt(f),
            Self::Heap => write!(f, "the heap is exhausted"),
        }
    }
}

macro_rules! from {
    ($($error:ty => $variant:ident,)*) => {
        $(impl From<$error> for CheckError {
            fn from(error: $error) -> Self {
                Self::$variant(error.into())
            }
        })*
    };
}

from! {
    MapError => Map,
    FramesError => Map,
    PagesError => Map,
    ShootdownTimeout => Map,
    ViewError => View,
    StackError => Stack,
}

impl<R: Permission> From<Refused<R>> for CheckError {
    fn from(refused: Refused<R>) -> Self {
        Self::Map(refused.error)
    }
}

/// A check.
pub struct Check {
    /// What it shows, in a few words.
    pub name: &'static str,
    /// Runs it.
    pub run: fn() -> Result<(), CheckError>,
}

/// All checks.
pub const CHECKS: &[Check] = &[
    Check { name: "no page and no frame is writable and executable", run: audit::write_or_execute },
    Check { name: "no range is in quarantine", run: audit::no_quarantine },
    Check { name: "frames come back when a mapping is dropped", run: ownership::frames_come_back },
    Check { name: "frames and pages have one owner", run: ownership::one_owner },
    Check { name: "running out of frames is an error", run: ownership::exhaustion },
    Check { name: "memory of the system is not mapped as a device", run: ownership::no_foreign_alias },
    Check { name: "rights change and bytes stay", run: mapping_checks::rights },
    Check { name: "an unmapped page is not translated", run: mapping_checks::unmapped },
    Check { name: "code moves from its alias to its place", run: mapping_checks::code_moves },
    Check { name: "views are checked", run: mapping_checks::views },
    Check { name: "a page of code is exchanged and back", run: mapping_checks::replacement },
    Check { name: "a stack has guard, reserve and thread locals", run: mapping_checks::stack },
    Check { name: "heap blocks are apart and come back", run: heap_checks::churn },
    Check { name: "an impossible allocation is null", run: heap_checks::impossible },
    Check { name: "the heap grows and is trimmed", run: heap_checks::grow_and_trim },
];

/// Checks that disturb: a CPU is silent for seconds (with one CPU there is nothing to check), the heap is damaged (what it
/// held is lost for ever when it is freed). The system goes on, but not as if nothing had been.
pub const DISTURBING_CHECKS: &[Check] = &[
    Check { name: "what a silent CPU may remember is not used again", run: disturbing_checks::silent_cpu },
    Check { name: "a damaged heap is set aside", run: disturbing_checks::damaged_heap },
    Check { name: "heap blocks are apart and come back afterwards", run: heap_checks::churn },
];

/// Fails unless the two are equal.
fn expect(what: &'static str, found: u64, expected: u64) -> Result<(), CheckError> {
    if found == expected { Ok(()) } else { Err(CheckError::Value { what, found, expected }) }
}

/// Fails if `outcome` is a success.
fn refused<T, E>(what: &'static str, outcome: Result<T, E>) -> Result<E, CheckError> {
    match outcome {
        Ok(_) => Err(CheckError::NotRefused(what)),
        Err(error) => Ok(error),
    }
}
