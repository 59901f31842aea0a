//! Priority inheritance: what the blocking locks do to the record of a holder.

use core::sync::atomic::Ordering;

use policy_interface::Priority;

use crate::machinery::Machinery;
use crate::task::Task;

/// One more lock donates `priority` to `task`; whether what the task inherits has changed.
pub fn donate(right: Machinery, task: &Task, priority: Priority) -> bool {
    let mut donations = task.donations.lock();
    donations.add(priority);
    note(right, task, donations.highest())
}

/// One lock less donates `priority` to `task`; whether what the task inherits has changed.
pub fn withdraw(right: Machinery, task: &Task, priority: Priority) -> bool {
    let mut donations = task.donations.lock();
    donations.remove(priority);
    note(right, task, donations.highest())
}

/// Called with the donations locked, so that the last word is the right one.
fn note(_right: Machinery, task: &Task, inherited: Priority) -> bool {
    let word = task.priority.load(Ordering::Relaxed);
    let new = word & 0xff | u32::from(inherited.level()) << 8;
    task.priority.store(new, Ordering::Relaxed);
    word != new
}
