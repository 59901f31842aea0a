//! Where a task's code comes from.

use alloc::sync::Arc;
use core::any::Any;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::rights::OriginCap;

/// What the code of a task is part of, for example a loaded application. It stays loaded as long as an origin of it is kept.
///
/// A new task has the origin of the task that makes it, so code starts only tasks that keep that code. Only a cell with
/// [`OriginCap`] makes an origin.
#[derive(Clone)]
pub struct Origin {
    keeper: Arc<dyn Any + Send + Sync>,
    living: Living,
}

/// The number of tasks of one origin that have been made and have not ended. It keeps none of their code.
#[derive(Clone)]
pub(crate) struct Living(Arc<AtomicUsize>);

impl Living {
    /// One task more.
    pub(crate) fn join(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One task has ended; true if it was the last.
    pub(crate) fn leave(&self) -> bool {
        self.0.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Whether all have ended.
    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

impl Origin {
    /// An origin that drops `keeper` after the last task that came from it, in a task that runs none of that code.
    pub fn new(_right: OriginCap, keeper: Arc<dyn Any + Send + Sync>) -> Self {
        Self { keeper, living: Living(Arc::new(AtomicUsize::new(0))) }
    }

    pub(crate) fn living(&self) -> Living {
        self.living.clone()
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({:p}, {} times)", self.keeper, Arc::strong_count(&self.keeper))
    }
}
