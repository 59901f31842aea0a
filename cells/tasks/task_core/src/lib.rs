//! What a task *is*: its record, the table of all tasks, and the rights to look at tasks and to change them.
//!
//! Guarantees:
//! - to every cell: a [`TaskId`] is never used twice; a [`TaskRef`] can be kept for ever and shows how a task ended;
//! - to the scheduler: while a slot is occupied, [`by_slot`] finds its task without a lock; one word says whether the
//!   task may run, and exactly one of several wakers wins;
//! - to recovery: each task has a [`FaultContext`] from before its first instruction until after its last.
//!
//! A function that *changes* a task asks for a right ([`SpawnCap`], [`ScheduleCap`], …: one type per right). A reference to a
//! record that every cell can get ([`visit`], [`TaskRef`]) only shows things.
//!
//! How it can fail: [`create`], when there are [`MAX_TASKS`] tasks.
#![no_std]

extern crate alloc;

mod body;
mod current;
mod donate;
mod ended;
mod execution;
mod id;
mod origin;
mod reference;
mod rights;
mod role;
mod state;
mod table;
mod task;

pub use body::{Body, Destructor, Start};
pub use current::{Current, current, current_id, give_up_waiting};
pub use donate::{donate, withdraw};
pub use ended::Ended;
pub use execution::Execution;
pub use fault_context::{Cause, FaultContext, FaultKind, KillRequest, Name};
pub use id::TaskId;
pub use origin::Origin;
pub use policy_interface::{MAX_TASKS, PolicyEntry, Priority, Slot};
pub use reference::TaskRef;
pub use rights::{BlockCap, EssentialCap, FaultCap, InheritCap, KillCap, OriginCap, ScheduleCap, SpawnCap, WakeCap};
pub use role::{Disposal, Role};
pub use state::{State, Wake};
pub use table::{NewTask, TaskTableFull, all, by_slot, count, create, find, is_record, release, visit};
pub use task::Task;
