//! Priority inheritance: how the blocking locks change the record of a holder.

use core::sync::atomic::Ordering;

use cpu_local::CpuId;
use policy_interface::Priority;

use crate::rights::InheritCap;
use crate::task::Task;

/// Notes that one more lock donates `priority` to `task`. Returns whether the inherited priority has changed.
pub fn donate(_right: InheritCap, task: &Task, priority: Priority) -> bool {
    let mut donations = task.donations.lock();
    donations.add(priority);
    note(task, donations.highest())
}

/// Notes that one lock less donates `priority` to `task`. Returns whether the inherited priority has changed.
pub fn withdraw(_right: InheritCap, task: &Task, priority: Priority) -> bool {
    let mut donations = task.donations.lock();
    donations.remove(priority);
    note(task, donations.highest())
}

/// Stores the inherited priority. The donations are locked around this call, so the last store has the last value.
fn note(task: &Task, inherited: Priority) -> bool {
    let entry = task.policy_entry(CpuId::BOOT);
    let new = entry.inheriting(inherited);
    task.entry.store(new.word(), Ordering::Relaxed);
    entry != new
}
