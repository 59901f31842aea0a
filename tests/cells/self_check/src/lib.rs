//! The common part of all checks of the running system: a claim, a function that finds out, and the report of both.
//!
//! Guarantees to the readers of the output (`tests/system` is one): each check is one line, `ok: CLAIM` or
//! `FAILED: CLAIM: what was found`, and the last line counts them, as a complaint if a claim does not hold. A claim that
//! is not about the system as it is now is neither: its line is `does not apply: CLAIM: why`, and it is not counted. A
//! check that panics ends the application that runs it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod companion;

use alloc::boxed::Box;
use alloc::format;
use core::error::Error;
use core::fmt;
use core::time::Duration;

use application::{Environment, Failure};
pub use companion::Companion;

/// How long anything that must happen may take on an emulated machine with a busy host.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// An error that a check found.
#[derive(Debug)]
pub enum CheckError {
    /// A number differs from the expected one.
    Value {
        /// The name of the number.
        what: &'static str,
        /// The number that was found.
        found: u64,
        /// The number that was expected.
        expected: u64,
    },
    /// Something is not so.
    Not(&'static str),
    /// Something did not happen in time.
    Late(&'static str),
    /// A thing that must be there is missing.
    Missing(&'static str),
    /// Something that must be refused was done.
    NotRefused(&'static str),
    /// The claim is about systems that are otherwise than this one is now.
    DoesNotApply(&'static str),
    /// An error that the check did not want.
    Error(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { what, found, expected } => {
                write!(f, "{what}: found {found} ({found:#x}), expected {expected} ({expected:#x})")
            }
            Self::Not(what) => write!(f, "not so: {what}"),
            Self::Late(what) => write!(f, "not in time: {what}"),
            Self::Missing(what) => write!(f, "missing: {what}"),
            Self::NotRefused(what) => write!(f, "not refused: {what}"),
            Self::DoesNotApply(why) => f.write_str(why),
            Self::Error(error) => error.fmt(f),
        }
    }
}

// `CheckError` is no `Error` itself, so this does not overlap with what `From` says of every type.
impl<E: Error + Send + Sync + 'static> From<E> for CheckError {
    fn from(error: E) -> Self {
        Self::Error(Box::new(error))
    }
}

/// The outcome of a check.
pub type Outcome = Result<(), CheckError>;

/// A claim, and how to find out whether it holds.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The claim.
    pub name: &'static str,
    /// Finds out.
    pub run: fn() -> Outcome,
}

impl Check {
    /// The claim `name`, which `run` checks.
    pub const fn new(name: &'static str, run: fn() -> Outcome) -> Self {
        Self { name, run }
    }
}

/// Fails unless the two numbers are equal.
///
/// # Errors
/// [`CheckError::Value`].
pub fn expect(what: &'static str, found: u64, expected: u64) -> Outcome {
    if found == expected { Ok(()) } else { Err(CheckError::Value { what, found, expected }) }
}

/// Fails unless `so`.
///
/// # Errors
/// [`CheckError::Not`].
pub fn holds(what: &'static str, so: bool) -> Outcome {
    if so { Ok(()) } else { Err(CheckError::Not(what)) }
}

/// Waits until something is so, for [`TIMEOUT`] at most.
///
/// # Errors
/// [`CheckError::Late`].
pub fn eventually(what: &'static str, mut so: impl FnMut() -> bool) -> Outcome {
    let deadline = clock::now() + TIMEOUT;
    while !so() {
        if clock::now() >= deadline {
            return Err(CheckError::Late(what));
        }
        task::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Carries out the checks, or the one called `only`, and tells the outcome.
///
/// # Errors
/// A claim does not hold, or there is no such check.
pub fn conduct<'a>(
    environment: &mut Environment,
    checks: impl IntoIterator<Item = &'a Check>,
    only: Option<&str>,
) -> Result<(), Failure> {
    let (mut passed, mut failed, mut others) = (0, 0, 0);
    for Check { name, run } in checks.into_iter().filter(|check| only.is_none_or(|name| name == check.name)) {
        match run() {
            Ok(()) => {
                passed += 1;
                writeln!(environment, "ok: {name}")?;
            }
            Err(CheckError::DoesNotApply(why)) => {
                others += 1;
                writeln!(environment, "does not apply: {name}: {why}")?;
            }
            Err(error) => {
                failed += 1;
                writeln!(environment, "FAILED: {name}: {error}")?;
            }
        }
    }
    let all = passed + failed;
    match only {
        Some(name) if all + others == 0 => Err(Failure::refused(format!("no check is called '{name}'"))),
        _ if failed > 0 => Err(Failure::refused(format!("{passed} of {all} checks passed"))),
        _ => Ok(writeln!(environment, "{passed} of {all} checks passed")?),
    }
}
