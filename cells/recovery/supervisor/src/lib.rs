//! Starts failed tasks anew: the second rung of the recovery ladder.
//!
//! A [`Group`] is a list of children with a strategy, as in OTP. One task supervises all groups: it calls [`round`] after
//! each notice of an end.
//!
//! Guarantees: if its restart applies, a child runs again after a pause of at least 50 ms that grows while it keeps
//! failing, with everything that the failed one owned released before; a child that fails more often than its
//! intensity allows is given up, and the others of its group run on; the restart is entered in the fault log. A fault in
//! [`round`] leaves each child in a state with which the next round can deal.
//!
//! Can fail: starting a child, for want of memory; at the first start that is the caller's error to see, later it
//! counts as a failure of the child.
#![no_std]
extern crate alloc;

mod group;
mod rounds;

pub use group::{Child, ChildState, ChildStatus, Group};
pub use restart_policy::{Intensity, LONGEST_PAUSE, Restart, SHORTEST_PAUSE, Strategy};
pub use rounds::{notify, round, take_notice, wait_for_notice};

use alloc::vec::Vec;
use core::fmt;

use mutex::{Mutex, MutexGuard};
use task::SpawnError;

use crate::group::Running;

/// The number of a supervised group, with which it is withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupId(u64);

/// Why supervision did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SupervisorError {
    /// A task could not be made.
    Spawn(SpawnError),
}

impl fmt::Display for SupervisorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawn(error) => write!(f, "cannot supervise: {error}"),
        }
    }
}

impl core::error::Error for SupervisorError {}

impl From<SpawnError> for SupervisorError {
    fn from(error: SpawnError) -> Self {
        Self::Spawn(error)
    }
}

struct Groups {
    next: u64,
    running: Vec<Running>,
}

static GROUPS: Mutex<Groups> = Mutex::new(Groups { next: 1, running: Vec::new() });

/// The groups. A fault while they were locked leaves each child in a state that the next round can deal with.
fn groups() -> MutexGuard<'static, Groups> {
    GROUPS.lock().unwrap_or_else(|poisoned| {
        GROUPS.clear_poison();
        poisoned.into_inner()
    })
}

/// Starts the children in order, and keeps them running. If one cannot be started, those before it are ended again.
///
/// # Errors
/// The child that cannot be started.
pub fn supervise(group: Group) -> Result<GroupId, SupervisorError> {
    let mut running = Running::new(group);
    running.start_all()?;
    let mut groups = groups();
    let id = groups.next;
    groups.next += 1;
    running.id = id;
    groups.running.push(running);
    Ok(GroupId(id))
}

/// Ends the children of a group, last first, and forgets it. Whether there was such a group.
pub fn withdraw(id: GroupId) -> bool {
    let mut groups = groups();
    let Some(position) = groups.running.iter().position(|group| group.id == id.0) else { return false };
    let mut group = groups.running.remove(position);
    drop(groups);
    group.end_all();
    true
}

/// All supervised children.
pub fn children() -> Vec<ChildStatus> {
    groups().running.iter().flat_map(Running::status).collect()
}
