//! Hands the ready tasks of one scheduling policy to another, or gives them back.
//!
//! Guarantee: after [`StateTransfer::carry_out`] each task that the old policy had is with exactly one of both, also if the
//! new one refused, or either of them panicked or faulted half way. Only a policy that does not take back the tasks that it
//! exported itself can lose tasks; they are counted then.
//!
//! Needs memory only in [`StateTransfer::prepare`], except where a function that faulted has left tasks.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::{collections::TryReserveError, vec::Vec};

use policy_interface::{AllQueues, ImportError, MAX_TASKS, PolicyEntry};

/// Gives all tasks up.
pub type Export = fn(&mut AllQueues, &mut Vec<PolicyEntry>);

/// Takes all tasks or none.
pub type Import = fn(&mut AllQueues, Vec<PolicyEntry>) -> Result<(), (ImportError, Vec<PolicyEntry>)>;

/// How faults are caught.
pub trait Catch {
    /// The description of a fault.
    type Fault;

    /// Runs `body`.
    ///
    /// # Errors
    /// The panic or fault in it.
    fn catch<T>(&self, body: impl FnOnce() -> T) -> Result<T, Self::Fault>;
}

/// Why the tasks are with the old policy again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<F> {
    /// The old policy failed when it gave them up.
    Export(F),
    /// The new one refused them.
    Refused(ImportError),
    /// The new one failed when it took them.
    Import(F),
}

/// The tasks were not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenBack<F> {
    /// Why.
    pub reason: Reason<F>,
    /// How many of them the old policy did not take back. No policy schedules them any more.
    pub lost: usize,
}

/// The functions of both policies, and the tasks on their way.
#[derive(Debug)]
pub struct StateTransfer {
    export_state: Export,
    give_back: Import,
    import_state: Import,
    entries: Vec<PolicyEntry>,
    /// The exported tasks, for the case that the list is lost with the function that had it.
    copy: Vec<PolicyEntry>,
}

impl StateTransfer {
    /// From the policy that has `export_state` and `give_back` to the one that has `import_state`.
    #[must_use]
    pub fn new(export_state: Export, give_back: Import, import_state: Import) -> Self {
        Self { export_state, give_back, import_state, entries: Vec::new(), copy: Vec::new() }
    }

    /// Takes the memory for as many tasks as there can be, while memory can still be had from others.
    ///
    /// # Errors
    /// There is not enough.
    pub fn prepare(&mut self) -> Result<(), TryReserveError> {
        for list in [&mut self.entries, &mut self.copy] {
            list.clear();
            list.try_reserve_exact(MAX_TASKS)?;
        }
        Ok(())
    }

    /// Hands the tasks over.
    ///
    /// # Errors
    /// [`GivenBack`] says why the old policy has them again.
    pub fn carry_out<C: Catch>(&mut self, queues: &mut AllQueues, catch: &C) -> Result<(), GivenBack<C::Fault>> {
        let Self { export_state, import_state, entries, copy, .. } = self;
        let exported = catch.catch(|| export_state(queues, entries));
        copy.extend_from_slice(entries);
        let outcome = match exported {
            Ok(()) => catch.catch(|| import_state(queues, core::mem::take(entries))).map_err(Reason::Import),
            Err(fault) => Err(Reason::Export(fault)),
        };
        let reason = match outcome {
            Ok(Ok(())) => return Ok(()),
            // The list that comes back is the one of which there is a copy.
            Ok(Err((error, _))) => Reason::Refused(error),
            Err(reason) => reason,
        };
        Err(GivenBack { reason, lost: self.give_back(queues, catch) })
    }

    /// Gives the old policy all its tasks; returns how many it did not take.
    fn give_back<C: Catch>(&mut self, queues: &mut AllQueues, catch: &C) -> usize {
        let mut tasks = core::mem::take(&mut self.copy);
        // Tasks that it never gave up, that became ready because of the fault, or that the new policy left in a static which
        // both have.
        let mut rest = Vec::new();
        let _emptied = catch.catch(|| (self.export_state)(queues, &mut rest));
        for entry in rest {
            if !tasks.iter().any(|other| other.task() == entry.task()) {
                // Not `push`: what that calls would come from the policy's object where the policy calls it too, and then
                // this cell's users were another object for each policy.
                tasks.extend_from_slice(&[entry]);
            }
        }
        let count = tasks.len();
        match catch.catch(|| (self.give_back)(queues, tasks)) {
            Ok(Ok(())) => 0,
            Ok(Err((_, refused))) => refused.len(),
            Err(_) => count,
        }
    }
}

#[cfg(test)]
mod tests;
