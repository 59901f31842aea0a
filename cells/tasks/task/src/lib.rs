//! Tasks, for all cells and applications: making, joining and ending them, sleeping, and starting the CPUs on them.
//!
//! # Rights
//! | type | right |
//! | --- | --- |
//! | [`TaskRef`] | to look at a task; can be cloned |
//! | [`Joinable`] | to wait for a task's end and take its result; there is one, and it must be used up |
//! | [`KillCapability`] | to end a task; can be cloned |
//!
//! # Guarantees
//! - A task that ended leaves nothing: its frames are unwound, its thread locals dropped, its locks released, its
//!   stack is another's; only its record stays while a reference to it exists.
//! - [`Joinable::join`] gives the result or says why there is none ([`Ended`]).
//! - [`KillCapability::kill`] ends a task whether it runs, is ready or is blocked: at its next cancellation point, and
//!   if it has not come to one after a grace period, where it computes; what that leaks is counted.
//! - Everything that waits is a cancellation point.
//! - Code that can be unloaded ([`Origin`]) is there as long as a task that came from it has not been disposed of,
//!   even if that task was detached; its destructors run in its own tasks.
//! - What the system cannot do without ([`Builder::spawn_essential`]) cannot be ended and takes up its work again after any
//!   fault.
//!
//! How it can fail: [`SpawnError`], for want of memory or task numbers, or if no CPU may run the task.
#![no_std]

extern crate alloc;

mod builder;
mod ends;
mod essential;
mod join;
mod kill;
mod named;
mod reaper;
mod rights;
mod root;
mod sleep;
mod start;
mod thread_local_growth;

pub use builder::{Builder, SpawnError, spawn};
pub use cpu_local::{CpuId, CpuSet};
pub use ends::wait_for_end;
pub use join::Joinable;
pub use kill::{DEFAULT_GRACE, Immortal, KillCapability};
pub use named::{NoTask, named};
pub use root::exit;
pub use scheduler::{policy_name, ready_count, scheduling_cpus, yield_now};
pub use sleep::{sleep, sleep_until};
pub use start::{StartError, init, start, start_cpu};
pub use task_core::{
    Cause, Current, Ended, FaultKind, Name, Origin, Priority, Role, State, TaskId, TaskRef, all, count, current, find,
};
pub use thread_local_growth::grow_thread_locals;
pub use unwinder::cancellation_point;
