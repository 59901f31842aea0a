//! Waits for one condition with two different mutexes at once.
//!
//! Ends: returns. Each task gets back the mutex that it gave.

use alloc::sync::Arc;
use core::time::Duration;

use application::{Environment, Failure};
use condition_variable::ConditionVariable;
use mutex::Mutex;

struct Shared {
    one: Mutex<u32>,
    other: Mutex<u64>,
    condition: ConditionVariable,
}

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let shared = Arc::new(Shared { one: Mutex::new(1), other: Mutex::new(2), condition: ConditionVariable::new() });
    let (first, second) = (Arc::clone(&shared), Arc::clone(&shared));
    let one = task::spawn("hostile_one", move || {
        let guard = first.one.lock().ok()?;
        first.condition.wait(guard).ok().map(|guard| *guard)
    })
    .map_err(Failure::refused)?;
    let other = task::spawn("hostile_other", move || {
        let guard = second.other.lock().ok()?;
        second.condition.wait(guard).ok().map(|guard| *guard)
    })
    .map_err(Failure::refused)?;
    while !(one.has_ended() && other.has_ended()) {
        shared.condition.notify_all();
        task::sleep(Duration::from_millis(5));
    }
    let both = one.join().ok().flatten() == Some(1) && other.join().ok().flatten() == Some(2);
    crate::expect(both, "a task got another mutex")?;
    crate::harmless(environment, "each got its own mutex")
}
