//! Locks that are dropped while a task holds them: their guards were lost with a frame, or forgotten.

use lock_ledger::{Ledger, LockHeader};
use task_core::{FaultCap, TaskId};

// SAFETY: this cell strikes locks from the ledgers of other tasks, which any context may do.
const FAULT: FaultCap = unsafe { FaultCap::new() };

/// Strikes the lock from its holder's ledger, before its memory becomes another's: for [`lock_ledger::HELD_LOCK_DROPPED`].
/// The holder may be another task, which is just being unwound; one that has ended has no ledger any more.
pub fn forget_dropped_lock(lock: &LockHeader) {
    let own: &Ledger = cpu_local::ledger();
    let holder = lock.holder();
    if holder == own.owner() {
        own.forget(lock);
    } else if let Some(task) = TaskId::new(holder).and_then(task_core::find) {
        task.record().faults(FAULT).ledger.forget(lock);
    }
}
