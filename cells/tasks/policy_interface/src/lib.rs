//! The contract between the scheduler and a scheduling policy. This crate does not change when the policy does.
//!
//! # The contract of a policy
//! A policy decides in which order the ready tasks of a CPU run. It is a type that implements [`Policy`]: one value of the type
//! is the queue of one CPU. The crate `scheduling_policy` contains the type and one line,
//! [`scheduling_policy!`](crate::scheduling_policy)`(TYPE);`, which makes the functions that the scheduler calls.
//!
//! ## Which call comes when
//! | call | when | the policy may rely on |
//! | --- | --- | --- |
//! | [`insert`](Policy::insert) | a task has become ready on this CPU ([`Arrival`] says why) | the task is in no queue |
//! | [`take_next`](Policy::take_next) | the CPU needs a task to run | – |
//! | [`remove`](Policy::remove) | the task leaves without running: its priority changes | the task is in this queue, under the same entry |
//! | [`waiting`](Policy::waiting) | another CPU looks for a task to take over | the queue does not change meanwhile |
//! | [`tick`](Policy::tick) | a millisecond is over, in which the CPU ran a task | the task is in no queue |
//! | [`preempts`](Policy::preempts) | a task was inserted while another one runs | – (no queue is locked) |
//! | [`import_state`](Policy::import_state) | the policy takes over from another one | all its queues are empty; no CPU runs tasks meanwhile |
//!
//! A policy knows the ready tasks. A running task comes back with `insert` if it stays ready. A blocked task comes back
//! with `insert` when it is woken. A policy is not told when a task ends; a task that is made later may have the same slot, and
//! its first `insert` says [`Arrival::New`].
//!
//! ## Guarantees to the policy
//! - Calls with `&mut self` come one at a time: the scheduler holds the lock of that CPU's queue, with interrupts off.
//! - The table of links has room for every task, so a policy needs no memory.
//!
//! ## Duties of the policy
//! - It does not block, allocate or panic. A panic costs the fault record and the time slice, not the tasks.
//! - `take_next` returns each inserted task exactly once, unless it was removed. [`Queues`] checks that a task which the
//!   policy returns is in that queue. So a wrong policy cannot make a task run twice or run a task that is gone: the worst that
//!   it can do is to keep tasks waiting.
//! - No reference to a static of the cell leaves its functions. Those that change a queue run with interrupts off;
//!   [`preempts`](Policy::preempts) may be interrupted, and its own frame shows that then. So when interrupts have stopped all
//!   CPUs and no frame stands in a replaced policy, its statics are free, whatever earlier calls have left on the stacks.
//!
//! # The functions of the cell
//! The scheduler calls these functions directly, and a swap patches the calls. Arguments and results fit into registers, so that
//! the scheduler's object is the same for every policy: for a large value that is passed or returned as such, the compiler notes
//! in the caller's code how the callee uses the value's place in memory.
//!
//! # State transfer
//! The engine of evolution calls `export_state` of the old cell and then `import_state` of the new cell while every other CPU stands
//! still. [`Queues`] carries out both; a policy only decides in [`Policy::import_state`] whether it takes the tasks.
//! - **Exclusion.** The other CPUs were stopped by an interrupt (not an NMI). Queue locks are held with interrupts off, so no
//!   stopped CPU holds one, and none is inside the policy. [`AllQueues`] is the engine's proof of that.
//! - **Memory.** The engine's list has room for [`MAX_TASKS`] entries, so neither function allocates.
//! - **Refusal.** `import_state` takes all entries, or takes none and returns the list with the reason. The engine then calls the
//!   *old* cell's `import_state` with that list, which succeeds: that cell exported the same entries.
//! - **Faults.** After a fault in either function the engine calls `export_state` of the old cell once more and gives it all
//!   entries that came out. So `export_state` puts each entry into the list as the task leaves its queue.
//! - **Order.** Entries of one CPU come in the order in which they would have run.
//!
//! Everything else that a policy knows (used time, levels) may be forgotten.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod entry;
mod per_task;
mod queues;
mod transfer;

pub use entry::{PolicyEntry, Priority};
pub use per_task::PerTask;
pub use queues::{AllQueues, QueueAccess, Queues};
pub use slot_list::{Links, List, MAX_TASKS, Slot};
pub use transfer::{ImportError, check};

#[doc(hidden)]
pub use alloc::vec::Vec;

/// CPUs that run queues exist for.
pub const MAX_CPUS: usize = 32;

/// Why a task stands in a queue (again).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// It was made just now.
    New,
    /// It was blocked, and something woke it.
    Woken,
    /// It ran, and gave way to another task.
    Preempted,
    /// It comes from another place: from another CPU's queue, from the same queue with another priority, or from another policy.
    Moved,
}

/// The queue of one CPU, in the order that a policy gives it.
pub trait Policy: Sized {
    /// The name of the policy, for people.
    const NAME: &'static str;

    /// A queue without tasks.
    const EMPTY: Self;

    /// The task is ready.
    fn insert(&mut self, links: &Links, entry: PolicyEntry, why: Arrival);

    /// The task that runs next. It leaves the queue.
    fn take_next(&mut self, links: &Links) -> Option<Slot>;

    /// Takes one task out. `entry` is the one with which it was inserted last.
    fn remove(&mut self, links: &Links, entry: PolicyEntry);

    /// The ready tasks. An idle CPU takes over the first one that it may run.
    fn waiting<'a>(&'a self, links: &'a Links) -> impl Iterator<Item = Slot>;

    /// A tick of the running task is over. Returns whether the task shall give way.
    fn tick(&mut self, links: &Links, running: PolicyEntry) -> bool;

    /// Whether `ready`, which has just become ready, shall displace `running` at once.
    fn preempts(ready: PolicyEntry, running: PolicyEntry) -> bool;

    /// Takes over the tasks of another policy, which are in order. `insert` puts one of them into the queue of its CPU.
    ///
    /// # Errors
    /// The policy cannot work with these entries. It has inserted none then.
    fn import_state(entries: &[PolicyEntry], insert: &mut dyn FnMut(PolicyEntry)) -> Result<(), ImportError> {
        entries.iter().copied().for_each(insert);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
