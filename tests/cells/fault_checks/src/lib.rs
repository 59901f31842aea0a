//! Checks of recovery in the running system: real faults in real tasks, and their leftovers.
//!
//! Each check makes its own tasks and waits for them, so it may be run at any time, under load, on any CPU; it leaves
//! nothing but records in the fault log, and the memory that a lost frame leaks by design. A failed check names the
//! found and the expected value.
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
mod recovery_faults;
mod restarts;
mod stacks;

use alloc::string::String;
use core::fmt;

use fault_context::{FaultKind, Name};
use self_check::{Check, Outcome};
use task::Ended;
use unwinder::WalkError;

/// A finding of a check that is not a matter of numbers.
#[derive(Debug)]
enum Unexpected {
    /// A task ended otherwise than it must.
    End {
        /// How it ended; nothing if it returned.
        found: Option<Ended>,
        /// The fault that must end it.
        expected: FaultKind,
    },
    /// The fault log blames the wrong function.
    Blame {
        /// The fault that it is blamed for.
        kind: FaultKind,
        /// The function that is blamed.
        found: String,
        /// Part of the name of the one to blame.
        expected: &'static str,
    },
    /// A task's stack cannot be walked.
    Walk(Name, WalkError),
    /// Memory did not come back.
    Memory {
        /// Frames that were free or page tables before.
        before: usize,
        /// The same now.
        now: usize,
        /// The heap's statistics now.
        heap: heap::Statistics,
    },
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End { found: Some(found), expected } => write!(f, "the task {found}, expected: {expected}"),
            Self::End { found: None, expected } => write!(f, "the task returned, expected: {expected}"),
            Self::Blame { kind, found, expected } => {
                write!(f, "{kind} in '{found}', expected: {expected}")
            }
            Self::Memory { before, now, heap } => {
                write!(
                    f,
                    "{before} frames were free or page tables before, {now} are now; the heap has {} bytes, {} in use, {} in stock",
                    heap.arena, heap.used, heap.cached
                )
            }
            Self::Walk(name, error) => write!(f, "the stack of '{name}': {error}"),
        }
    }
}

impl core::error::Error for Unexpected {}

/// All checks.
pub const CHECKS: &[Check] = &[
    Check::new(
        "a panic runs the destructors of all frames and is told to the joiner",
        destructors::panic_runs_destructors,
    ),
    Check::new("an inner catch stops a panic and the task goes on", destructors::inner_catch),
    Check::new("a panic in a destructor does not stop the unwinding", destructors::panic_in_destructor),
    Check::new("a task's value passes a catch untouched", destructors::values_pass),
    Check::new("a panic is caught", kinds::panic),
    Check::new("a null access is recovered from", kinds::null_access),
    Check::new("a page fault is recovered from", kinds::page_fault),
    Check::new("a general protection fault is recovered from", kinds::general_protection),
    Check::new("a divide error is recovered from", kinds::divide_error),
    Check::new("an invalid opcode is recovered from", kinds::invalid_opcode),
    Check::new("a breakpoint is recovered from", kinds::breakpoint),
    Check::new("a jump outside all text is recovered from", kinds::wild_jump),
    Check::new("a stack overflow is recovered from, twice on one stack", kinds::stack_overflow),
    Check::new("a deadlock with oneself is recovered from", kinds::deadlock),
    Check::new("running out of memory is recovered from", kinds::out_of_memory),
    Check::new("a lost stack pointer ends the task without unwinding", kinds::lost_stack),
    Check::new("a fault with a spin lock held releases and poisons it", locks::spin_lock),
    Check::new("a fault with a mutex held releases and poisons it", locks::mutex),
    Check::new("a panic with a mutex held poisons it", locks::panic_poisons_mutex),
    Check::new("a fault with preemption off leaves it on", locks::preemption),
    Check::new("a fault with a lock held to write releases and poisons it", locks::rwlock_writer),
    Check::new("a fault with a lock held to read releases it and poisons nothing", locks::rwlock_reader),
    Check::new("an inner catch releases the locks of lost frames and no others", locks::caught_locks),
    Check::new("a mutex that is freed with its guard lost is forgotten", locks::freed_lock),
    Check::new("a mutex that another task frees with its guard lost is forgotten", locks::lock_freed_by_another),
    Check::new("a mutex that is moved with its guard forgotten is released where it is", locks::moved_lock),
    Check::new("a circle of two tasks over mutexes is broken", locks::mutex_circle),
    Check::new("a circle of two tasks over reader-writer locks is broken", locks::rwlock_circle),
    Check::new("a circle of three tasks over locks of both kinds is broken", locks::long_circle),
    Check::new("asking to write what one reads is a deadlock", locks::upgrade),
    Check::new("each kind of fault can be made in a task that computes", delivery::computing),
    Check::new("each kind of fault can be made in a task that waits", delivery::waiting),
    Check::new("faults asked for faster than they are dealt with end the task once", delivery::escalating),
    Check::new("a task that computes for ever can be killed", delivery::kill_computing),
    Check::new(
        "of a task that is killed with something lent nothing is dropped, and it is told",
        delivery::kill_with_something_lent,
    ),
    Check::new("kills find no vector half resized", delivery::resizing),
    Check::new("a kill at a cancellation point leaks nothing", delivery::kill_waiting),
    Check::new("what a kill in the midst of computing leaks is in the log, to the byte", delivery::kill_counts_leaks),
    Check::new(
        "what others free is not leaked, and what is freed for others hides no leak",
        delivery::leaks_are_the_owners,
    ),
    Check::new("the fault log names cell and function for each kind made elsewhere", places::injected),
    Check::new("the fault log names cell and function for each kind made by the task itself", places::own),
    Check::new("a stack overflow is blamed on the function that recurs", places::recursion),
    Check::new("a hundred faults leave no stack and no task behind", delivery::no_leftovers),
    Check::new("a CPU that keeps interrupts off is taken from its task", delivery::hang),
    Check::new("a supervised task is restarted, with growing pauses", restarts::restarted),
    Check::new("a supervised task that is slow to end keeps no other from its restart", restarts::slow_to_end),
    Check::new("a supervised task that always fails is given up", restarts::given_up),
    Check::new("what the system cannot do without cannot be ended", restarts::essential),
    Check::new("nothing is left of a task that returns", leftovers::of_return),
    Check::new("nothing is left of a task that panics", leftovers::of_panic),
    Check::new("nothing is left of a task that is killed", leftovers::of_kill),
    Check::new("nothing is left of a task that is killed in the midst of computing", leftovers::of_forced_kill),
    Check::new("nothing is left of a task that faults", leftovers::of_fault),
    Check::new("nothing is left of a task whose stack overflows", leftovers::of_overflow),
    Check::new("a call of a null function pointer is recovered from", odd_places::null_call),
    Check::new("a stack overflow with interrupts off is recovered from", odd_places::overflow_without_interrupts),
    Check::new("a double fault ends the task and is in the log", odd_places::double_fault),
    Check::new("a fault in a destructor does not stop the unwinding of a panic", odd_places::fault_in_destructor),
    Check::new(
        "a fault in every destructor of a deep stack ends the task all the same",
        odd_places::faults_all_the_way,
    ),
    Check::new(
        "a fault in a thread local's destructor does not keep the others from running",
        odd_places::thread_local,
    ),
    Check::new("a hundred faults on each CPU at once leave memory as it was", odd_places::everywhere_at_once),
    Check::new(
        "faults in the handling of exceptions give their part of the emergency stack back",
        recovery_faults::fault_in_exception_handler,
    ),
    Check::new(
        "panics in the handling of exceptions give their part of the emergency stack back",
        recovery_faults::panic_in_exception_handler,
    ),
    Check::new("a fault that faults when it is noted is in the log all the same", recovery_faults::fault_in_noting),
    Check::new("a fault that panics when it is noted is in the log all the same", recovery_faults::panic_in_noting),
    Check::new("rest-for-one restarts those started later", restarts::rest_for_one),
    Check::new("the stack of every waiting task can be walked to its end", stacks::all_walkable),
];

/// Checks that disturb: while they run, other tasks may find no memory.
pub const DISTURBING_CHECKS: &[Check] = &[
    Check::new("a task that takes the whole heap is unwound, and the heap comes back", exhaustion::heap),
    Check::new("a task that maps all memory is refused, and the memory comes back", exhaustion::mappings),
    Check::new("a task that makes ever more tasks is refused, and the memory comes back", exhaustion::tasks),
    Check::new("a task that makes ever more files is refused, and the memory comes back", exhaustion::files),
    Check::new("faults are recovered from while there is no memory", exhaustion::fault_without_memory),
];

/// Whether the task ended of this kind of fault.
fn ended_of<T>(result: Result<T, Ended>, expected: FaultKind) -> Outcome {
    let found = match result {
        Ok(_) => return Err(Unexpected::End { found: None, expected }.into()),
        Err(found) => found,
    };
    let kind = match found {
        Ended::Panicked(_) => Some(FaultKind::Panic),
        Ended::Faulted(cause) => Some(cause.kind),
        Ended::Killed => Some(FaultKind::Killed),
        Ended::Exited => None,
    };
    if kind == Some(expected) { Ok(()) } else { Err(Unexpected::End { found: Some(found), expected }.into()) }
}
