//! Checks of recovery in the running system: real faults in real tasks, and what is left of them.
//!
//! Each check makes its own tasks and waits for them, so it may be run at any time, under load, on any CPU; it leaves
//! nothing but records in the fault log, and what a lost frame leaks by design. A failed check says what was found
//! and what was expected.
#![no_std]
extern crate alloc;

mod delivery;
mod destructors;
mod kinds;
mod locks;
mod restarts;
mod stacks;

use core::fmt;

use fault_context::{FaultKind, Name};
use fault_injection::InjectError;
use supervisor::SupervisorError;
use task::{Ended, SpawnError};
use unwinder::WalkError;

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
    /// A task ended otherwise than it must.
    End {
        /// How it ended; nothing if it returned.
        found: Option<Ended>,
        /// Of what it must end.
        expected: FaultKind,
    },
    /// Something that must happen did not, in time.
    Missing(&'static str),
    /// A task's stack cannot be walked.
    Walk(Name, WalkError),
    /// A task cannot be made.
    Spawn(SpawnError),
    /// A fault cannot be made.
    Inject(InjectError),
    /// A task cannot be supervised.
    Supervise(SupervisorError),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { what, found, expected } => write!(f, "{what}: found {found}, expected {expected}"),
            Self::End { found: Some(found), expected } => write!(f, "the task {found}, expected: {expected}"),
            Self::End { found: None, expected } => write!(f, "the task returned, expected: {expected}"),
            Self::Missing(what) => write!(f, "missing: {what}"),
            Self::Walk(name, error) => write!(f, "the stack of '{name}': {error}"),
            Self::Spawn(error) => error.fmt(f),
            Self::Inject(error) => error.fmt(f),
            Self::Supervise(error) => error.fmt(f),
        }
    }
}

macro_rules! from {
    ($($error:ty => $variant:ident),*) => { $(
        impl From<$error> for CheckError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )* };
}
from!(SpawnError => Spawn, InjectError => Inject, SupervisorError => Supervise);

/// One check.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// What holds if it passes.
    pub name: &'static str,
    /// Finds out.
    pub run: fn() -> Result<(), CheckError>,
}

const fn check(name: &'static str, run: fn() -> Result<(), CheckError>) -> Check {
    Check { name, run }
}

/// All checks.
pub const CHECKS: &[Check] = &[
    check("a panic runs the destructors of all frames and is told to the joiner", destructors::panic_runs_destructors),
    check("an inner catch stops a panic and the task goes on", destructors::inner_catch),
    check("a panic in a destructor does not stop the unwinding", destructors::panic_in_destructor),
    check("a task's value passes a catch untouched", destructors::values_pass),
    check("a panic is caught", kinds::panic),
    check("a null access is recovered from", kinds::null_access),
    check("a page fault is recovered from", kinds::page_fault),
    check("a general protection fault is recovered from", kinds::general_protection),
    check("a divide error is recovered from", kinds::divide_error),
    check("an invalid opcode is recovered from", kinds::invalid_opcode),
    check("a breakpoint is recovered from", kinds::breakpoint),
    check("a jump outside all text is recovered from", kinds::wild_jump),
    check("a stack overflow is recovered from, twice on one stack", kinds::stack_overflow),
    check("a deadlock with oneself is recovered from", kinds::deadlock),
    check("running out of memory is recovered from", kinds::out_of_memory),
    check("a lost stack pointer ends the task without unwinding", kinds::lost_stack),
    check("a fault with a spin lock held releases and poisons it", locks::spin_lock),
    check("a fault with a mutex held releases and poisons it", locks::mutex),
    check("a panic with a mutex held poisons it", locks::panic_poisons_mutex),
    check("a fault with preemption off leaves it on", locks::preemption),
    check("a circle of waiting tasks is broken", locks::circle),
    check("each kind of fault can be made in a task that computes", delivery::computing),
    check("each kind of fault can be made in a task that waits", delivery::waiting),
    check("a task that computes for ever can be killed", delivery::kill_computing),
    check("the fault log names the cell and the function to blame", delivery::log_names_culprit),
    check("a hundred faults leave no stack and no task behind", delivery::no_leftovers),
    check("a CPU that keeps interrupts off is taken from its task", delivery::hang),
    check("a supervised task is restarted, with growing pauses", restarts::restarted),
    check("a supervised task that always fails is given up", restarts::given_up),
    check("rest-for-one restarts those started later", restarts::rest_for_one),
    check("the stack of every waiting task can be walked to its end", stacks::all_walkable),
];

fn equal(what: &'static str, found: u64, expected: u64) -> Result<(), CheckError> {
    if found == expected { Ok(()) } else { Err(CheckError::Value { what, found, expected }) }
}

/// Whether the task ended of this kind of fault.
fn ended_of<T>(result: Result<T, Ended>, expected: FaultKind) -> Result<(), CheckError> {
    let found = match result {
        Ok(_) => return Err(CheckError::End { found: None, expected }),
        Err(found) => found,
    };
    let kind = match found {
        Ended::Panicked(_) => Some(FaultKind::Panic),
        Ended::Faulted(cause) => Some(cause.kind),
        Ended::Killed => Some(FaultKind::Killed),
        Ended::Exited => None,
    };
    if kind == Some(expected) { Ok(()) } else { Err(CheckError::End { found: Some(found), expected }) }
}

/// Waits, giving way to others, until `ready`; the name is for the error.
fn wait_until(what: &'static str, mut ready: impl FnMut() -> bool) -> Result<(), CheckError> {
    /// On an emulated machine with a busy host even short work can take seconds.
    const PATIENCE: core::time::Duration = core::time::Duration::from_secs(20);
    let start = clock::now();
    while !ready() {
        if start.elapsed() > PATIENCE {
            return Err(CheckError::Missing(what));
        }
        task::sleep(core::time::Duration::from_millis(2));
    }
    Ok(())
}
