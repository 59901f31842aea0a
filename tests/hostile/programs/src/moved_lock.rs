//! Forgets a guard and moves the lock, to where other tasks then wait for it.
//!
//! Ends: returns. The system's records of a lock by its address do not move: the waiting task goes on when the holder has
//! ended.

use alloc::sync::Arc;
use core::mem;
use core::time::Duration;

use application::{Environment, Failure};
use mutex::Mutex;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let holder = task::spawn("hostile_holder", || {
        let lock = Mutex::new(7_u32);
        mem::forget(lock.lock());
        let moved = Arc::new(lock);
        let shared = Arc::clone(&moved);
        let waiter = task::spawn("hostile_waiter", move || shared.lock().is_err()).ok();
        task::sleep(Duration::from_millis(100));
        waiter
    })
    .map_err(Failure::refused)?;
    let waiter = holder.join().ok().flatten();
    let poisoned = waiter.and_then(|task| task.join().ok());
    crate::expect(poisoned == Some(true), "the waiter did not learn of the holder's end")?;
    crate::harmless(environment, "the waiter got the poisoned lock")
}
