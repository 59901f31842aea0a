//! Checks of recovery in the running system: real faults in real tasks, and what is left of them.
//!
//! Each check makes its own tasks and waits for them, so it may be run at any time, under load, on any CPU; it leaves
//! nothing but records in the fault log, and what a lost frame leaks by design. A failed check says what was found
//! and what was expected.
#![no_std]
#![feature(thread_local)]
extern crate alloc;

mod delivery;
mod destructors;
mod exhaustion;
mod kinds;
mod leftovers;
mod locks;
mod odd_places;
mod places;
mod restarts;
mod stacks;

use alloc::string::String;
use core::fmt;

use fault_context::{FaultKind, Name};
use fault_injection::InjectError;
use file_system::FsError;
use mapping::MapError;
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
    /// The fault log blames the wrong function.
    Blame {
        /// For what.
        kind: FaultKind,
        /// The function that is blamed.
        found: String,
        /// Part of the name of the one to blame.
        expected: &'static str,
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
    /// Pages cannot be mapped.
    Map(MapError),
    /// A file cannot be had.
    File(FsError),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { what, found, expected } => write!(f, "{what}: found {found}, expected {expected}"),
            Self::End { found: Some(found), expected } => write!(f, "the task {found}, expected: {expected}"),
            Self::End { found: None, expected } => write!(f, "the task returned, expected: {expected}"),
            Self::Blame { kind, found, expected } => {
                write!(f, "{kind} in '{found}', expected: {expected}")
            }
            Self::Missing(what) => write!(f, "missing: {what}"),
            Self::Walk(name, error) => write!(f, "the stack of '{name}': {error}"),
            Self::Spawn(error) => error.fmt(f),
            Self::Inject(error) => error.fmt(f),
            Self::Supervise(error) => error.fmt(f),
            Self::Map(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
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
from!(SpawnError => Spawn, InjectError => Inject, SupervisorError => Supervise, MapError => Map, FsError => File);

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
    check("a fault with a lock held to write releases and poisons it", locks::rwlock_writer),
    check("a fault with a lock held to read releases it and poisons nothing", locks::rwlock_reader),
    check("a circle of two tasks over mutexes is broken", locks::mutex_circle),
    check("a circle of two tasks over reader-writer locks is broken", locks::rwlock_circle),
    check("a circle of three tasks over locks of both kinds is broken", locks::long_circle),
    check("asking to write what one reads is a deadlock", locks::upgrade),
    check("each kind of fault can be made in a task that computes", delivery::computing),
    check("each kind of fault can be made in a task that waits", delivery::waiting),
    check("faults asked for faster than they are dealt with end the task once", delivery::insistent),
    check("a task that computes for ever can be killed", delivery::kill_computing),
    check("a kill at a cancellation point leaks nothing", delivery::kill_waiting),
    check("what a kill in the midst of computing leaks is in the log", delivery::kill_counts_leaks),
    check("the fault log names cell and function for each kind made elsewhere", places::injected),
    check("the fault log names cell and function for each kind made by the task itself", places::own),
    check("a stack overflow is blamed on the function that recurs", places::recursion),
    check("a hundred faults leave no stack and no task behind", delivery::no_leftovers),
    check("a CPU that keeps interrupts off is taken from its task", delivery::hang),
    check("a supervised task is restarted, with growing pauses", restarts::restarted),
    check("a supervised task that always fails is given up", restarts::given_up),
    check("what the system cannot do without cannot be ended", restarts::essential),
    check("nothing is left of a task that returns", leftovers::of_return),
    check("nothing is left of a task that panics", leftovers::of_panic),
    check("nothing is left of a task that is killed", leftovers::of_kill),
    check("nothing is left of a task that is killed in the midst of computing", leftovers::of_forced_kill),
    check("nothing is left of a task that faults", leftovers::of_fault),
    check("nothing is left of a task whose stack overflows", leftovers::of_overflow),
    check("a call of a null function pointer is recovered from", odd_places::null_call),
    check("a stack overflow with interrupts off is recovered from", odd_places::overflow_without_interrupts),
    check("a double fault ends the task and is in the log", odd_places::double_fault),
    check("a fault in a destructor does not stop the unwinding of a panic", odd_places::fault_in_destructor),
    check("a fault in every destructor of a deep stack ends the task all the same", odd_places::faults_all_the_way),
    check("a fault in a thread local's destructor does not keep the others from running", odd_places::thread_local),
    check("a hundred faults on each CPU at once leave memory as it was", odd_places::everywhere_at_once),
    check("rest-for-one restarts those started later", restarts::rest_for_one),
    check("the stack of every waiting task can be walked to its end", stacks::all_walkable),
];

/// Checks that disturb: while they run, nobody else may find memory to be had.
pub const DISTURBING_CHECKS: &[Check] = &[
    check("a task that takes the whole heap is unwound, and the heap comes back", exhaustion::heap),
    check("a task that maps all memory is refused, and the memory comes back", exhaustion::mappings),
    check("a task that makes ever more tasks is refused, and the memory comes back", exhaustion::tasks),
    check("a task that makes ever more files is refused, and the memory comes back", exhaustion::files),
    check("faults are recovered from while there is no memory", exhaustion::fault_without_memory),
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
