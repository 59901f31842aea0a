//! What a task *is*: its record, the table of all tasks, and who may look at it.
//!
//! Guarantees:
//! - to everybody: a [`TaskId`] is never used twice; a [`TaskRef`] can be kept for ever and shows how a task ended;
//! - to the scheduler: while a slot is occupied, [`by_slot`] finds its task without a lock; the state word says in
//!   one place whether the task may run, and only one of several wakers wins;
//! - to recovery: each task has a [`FaultContext`] from before its first instruction until after its last.
//!
//! What may *change* a task is reached through a [`Machinery`] token, which only the cells that make up the task
//! machinery create: a reference to a record that others can get ([`visit`]) only shows things. Fails only in [`create`]:
//! when there are [`MAX_TASKS`] tasks.
#![no_std]

extern crate alloc;

mod current;
mod donate;
mod ended;
mod id;
mod machinery;
mod origin;
mod reference;
mod role;
mod state;
mod table;
mod task;

pub use current::{Current, current, current_id, give_up_waiting};
pub use donate::{donate, withdraw};
pub use ended::Ended;
pub use fault_context::{Cause, FaultContext, FaultKind, KillRequest, Name};
pub use id::TaskId;
pub use machinery::Machinery;
pub use origin::Origin;
pub use policy_interface::{MAX_TASKS, PolicyEntry, Priority, Slot};
pub use reference::TaskRef;
pub use role::{Disposal, Role};
pub use state::{State, Wake};
pub use table::{TaskTableFull, abandon, all, by_slot, count, create, enter, find, is_record, release, visit};
pub use task::{Start, Task};
