//! Where a task's code comes from.

use alloc::sync::Arc;
use core::any::Any;
use core::fmt;

use crate::machinery::Machinery;

/// What the code of a task is part of, e.g. a loaded application, which stays as long as one of these is kept.
///
/// A task has that of the task that made it, so that code can start only tasks that keep it; nobody but the machinery makes
/// one up.
#[derive(Clone)]
pub struct Origin(Arc<dyn Any + Send + Sync>);

impl Origin {
    /// What drops `keeper` after the last task that came from it, in a task that runs none of that code.
    pub fn new(_right: Machinery, keeper: Arc<dyn Any + Send + Sync>) -> Self {
        Self(keeper)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({:p}, {} times)", self.0, Arc::strong_count(&self.0))
    }
}
