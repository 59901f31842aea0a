//! Locks that are dropped while somebody holds them: their guards were lost with a frame, or forgotten.

use lock_ledger::{Ledger, LockHeader};
use task_core::{Machinery, TaskId};

// SAFETY: this cell only strikes locks from ledgers, which any context may do.
const RIGHT: Machinery = unsafe { Machinery::new() };

/// Strikes the lock from its holder's ledger, before its memory becomes another's. The holder may be another task, which
/// is being unwound just now; one that has ended has no ledger any more.
pub(crate) fn forget(lock: &LockHeader) {
    let own: &Ledger = cpu_local::ledger();
    let holder = lock.holder();
    if holder == own.owner() {
        own.forget(lock);
    } else if let Some(task) = TaskId::new(holder).and_then(task_core::find) {
        task.task(RIGHT).faults(RIGHT).ledger.forget(lock);
    }
}
