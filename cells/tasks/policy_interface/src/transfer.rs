//! How a policy refuses the tasks of another one.

use core::fmt;

use crate::{MAX_TASKS, PolicyEntry, Slot};

/// Why a policy refused the tasks of another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportError {
    /// The new policy already has tasks: it is in use.
    NotEmpty {
        /// How many.
        tasks: usize,
    },
    /// A task comes twice.
    Duplicate {
        /// The task.
        task: Slot,
    },
    /// The entries say too little for this policy.
    Insufficient,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEmpty { tasks } => write!(f, "the policy is in use: it has {tasks} tasks already"),
            Self::Duplicate { task } => write!(f, "{task:?} was exported twice"),
            Self::Insufficient => f.write_str("the tasks of another policy lack what it orders them by"),
        }
    }
}

impl core::error::Error for ImportError {}

/// Checks a exported list for a policy in which `queued` tasks are.
///
/// # Errors
/// The first reason not to take the list.
pub fn check(entries: &[PolicyEntry], queued: usize) -> Result<(), ImportError> {
    if queued != 0 {
        return Err(ImportError::NotEmpty { tasks: queued });
    }
    let mut seen = [0u64; MAX_TASKS / 64];
    for entry in entries {
        let task = entry.task();
        let word = &mut seen[task.index() / 64];
        let bit = 1 << (task.index() % 64);
        if *word & bit != 0 {
            return Err(ImportError::Duplicate { task });
        }
        *word |= bit;
    }
    Ok(())
}
