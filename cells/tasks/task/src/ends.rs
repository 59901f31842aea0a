//! Where tasks wait for the end of others.

use task_core::{Ended, Task, TaskRef};
use wait_queue::WaitQueue;

/// Each slot has a queue; slots that are 64 apart share one.
static ENDS: [WaitQueue; 64] = [const { WaitQueue::new() }; 64];

/// The queue of the tasks that wait for the end of `task`.
pub(crate) fn queue(task: &Task) -> &'static WaitQueue {
    &ENDS[task.slot().index() % ENDS.len()]
}

/// Waits for the end of a task that the caller may only look at. A cancellation point.
///
/// # Errors
/// [`Ended`] says how the task ended, if it did not return.
pub fn wait_for_end(task: &TaskRef) -> Result<(), Ended> {
    wait_queue::wait_for(queue(task.record()), || task.ended())
}
