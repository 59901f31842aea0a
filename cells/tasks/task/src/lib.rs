//! Tasks, for everybody who uses them: making, joining and ending them, sleeping, and starting the CPUs on them.
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
//!   stack is another's; only its record stays while somebody holds a reference.
//! - [`Joinable::join`] gives the result or says why there is none ([`Ended`]).
//! - [`KillCapability::kill`] ends a task whether it runs, is ready or is blocked: at its next cancellation point, and
//!   if it has not come to one after a grace period, where it computes; what that leaks is counted.
//! - Everything that waits is a cancellation point.
//! - Code that is loaded for a while ([`Origin`]) is there as long as a task that came from it has not been disposed of,
//!   whoever let that task go; its destructors run in its own tasks.
//! - What the system cannot do without ([`Builder::spawn_essential`]) cannot be ended and takes up its work again after any
//!   fault.
//!
//! How it can fail: [`SpawnError`], for want of memory or task numbers, or if no CPU may run the task.
#![no_std]

extern crate alloc;

mod builder;
mod essential;
mod join;
mod kill;
mod reaper;
mod root;
mod start;
mod thread_local_growth;

pub use builder::{Builder, SpawnError, spawn};
pub use cpu_local::{CpuId, CpuSet};
pub use join::Joinable;
pub use kill::{DEFAULT_GRACE, Immortal, KillCapability};
pub use root::exit;
pub use scheduler::{policy_name, ready_count, scheduling_cpus, yield_now};
pub use start::{StartError, init, start, start_cpu};
pub use task_core::{
    Cause, Current, Ended, FaultKind, Name, Origin, Priority, Role, State, TaskId, TaskRef, all, count, current, find,
};
pub use thread_local_growth::grow_thread_locals;
pub use unwinder::cancellation_point;

use core::time::Duration;

use clock::Instant;
use task_core::Machinery;
use wait_queue::WaitQueue;

// SAFETY: this cell makes and ends tasks; the rules at each method are kept where it is called.
const RIGHT: Machinery = unsafe { Machinery::new() };

/// Where tasks wait for the end of others: by slot, some slots sharing a queue.
static ENDS: [WaitQueue; 64] = [const { WaitQueue::new() }; 64];

fn end_queue(task: &task_core::Task) -> &'static WaitQueue {
    &ENDS[task.slot().index() % ENDS.len()]
}

/// Lets others run for `duration` at least. A cancellation point.
pub fn sleep(duration: Duration) {
    sleep_until(clock::now() + duration);
}

/// Lets others run until `deadline` at least. A cancellation point.
pub fn sleep_until(deadline: Instant) {
    let nobody_wakes = WaitQueue::new();
    wait_queue::wait_for_until(&nobody_wakes, deadline, || None::<()>);
}

/// Waits for the end of a task that the caller may only look at.
pub fn wait_for_end(task: &TaskRef) -> Result<(), Ended> {
    wait_queue::wait_for(end_queue(task.task(RIGHT)), || task.ended())
}
