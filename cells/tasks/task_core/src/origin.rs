//! Where a task's code comes from.

use alloc::sync::Arc;
use core::any::Any;
use core::fmt;

use crate::rights::OriginCap;

/// What the code of a task is part of, for example a loaded application. It stays loaded as long as an origin of it is kept.
///
/// A new task has the origin of the task that makes it, so code starts only tasks that keep that code. Only a cell with
/// [`OriginCap`] makes an origin.
#[derive(Clone)]
pub struct Origin(Arc<dyn Any + Send + Sync>);

impl Origin {
    /// An origin that drops `keeper` after the last task that came from it, in a task that runs none of that code.
    pub fn new(_right: OriginCap, keeper: Arc<dyn Any + Send + Sync>) -> Self {
        Self(keeper)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({:p}, {} times)", self.0, Arc::strong_count(&self.0))
    }
}
