//! The rights over tasks that this cell has.

use task_core::{EssentialCap, FaultCap, SpawnCap, WakeCap};

// SAFETY: this cell makes tasks, is their outermost function, and has one disposer per task: its joiner or the reaper.
pub(crate) const SPAWN: SpawnCap = unsafe { SpawnCap::new() };

// SAFETY: a task is woken, or interrupted, after it was ordered to end.
pub(crate) const WAKE: WakeCap = unsafe { WakeCap::new() };

// SAFETY: this cell sets atomic orders in the contexts of other tasks, and uses plain cells of the running task's only.
pub(crate) const FAULT: FaultCap = unsafe { FaultCap::new() };

// SAFETY: the one essential task of this cell is the reaper, without which ended tasks would keep their memory.
pub(crate) const ESSENTIAL: EssentialCap = unsafe { EssentialCap::new() };
