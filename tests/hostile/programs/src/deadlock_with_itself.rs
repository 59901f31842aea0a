//! Locks a mutex that it holds.
//!
//! Ends: deadlock. The second lock is refused at once.

use application::{Environment, Failure};
use mutex::Mutex;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let lock = Mutex::new(());
    let held = lock.lock();
    let again = lock.lock();
    crate::expect(held.is_ok() && again.is_err(), "a mutex was locked twice")?;
    crate::harmless(environment, "the second lock is poisoned")
}
