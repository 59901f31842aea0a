//! A task that waits for itself.

use mutex::Mutex;

/// Locks a mutex twice. The second attempt can never succeed: it ends in a panic that counts
/// as a deadlock; a circle of several tasks is the watchdog's to find.
pub(crate) fn wait_for_oneself() {
    let mutex = Mutex::new(());
    let _first = mutex.lock();
    let _second = mutex.lock();
}
