//! The lock that keeps changes of the namespace and scans for references apart.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use mutex::{Mutex, MutexGuard};

/// How long a CPU may take to stop: the host of a virtual machine may keep it waiting.
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(2);

/// Held by the task that prepares and commits a change, or looks for references: a cell must not be freed while a change that
/// patches it is ready to take effect.
static NAMESPACE: Mutex<()> = Mutex::new(());
/// Set between the exchange and the update of the tables. Only a fault of this very code can leave it set.
pub(crate) static HALF_DONE: AtomicBool = AtomicBool::new(false);

/// Keeps other tasks from preparing a change and from looking for references. If the last holder was lost, the change that it
/// had prepared is given up.
pub(crate) fn lock_namespace() -> MutexGuard<'static, ()> {
    NAMESPACE.lock().unwrap_or_else(|poisoned| {
        let guard = poisoned.into_inner();
        if !HALF_DONE.load(Ordering::Acquire) {
            // SAFETY: the task that had the change is lost, and it had not exchanged the words. While the lock is held no other
            // task of this crate prepares a change.
            unsafe { replacement::abandon() };
        }
        NAMESPACE.clear_poison();
        guard
    })
}
