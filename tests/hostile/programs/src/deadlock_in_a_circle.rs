//! Two tasks lock two mutexes, each in the other order.
//!
//! Ends: returns. The watchdog sees the circle and ends one task of it; the other one goes on.

use alloc::sync::Arc;
use core::time::Duration;

use application::{Environment, Failure};
use mutex::Mutex;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
    let other = Arc::clone(&locks);
    let backwards = task::spawn("hostile_back", move || lock(&other[1], &other[0])).map_err(Failure::refused)?;
    let forwards = task::spawn("hostile_forth", move || lock(&locks[0], &locks[1])).map_err(Failure::refused)?;
    let ended = [backwards.join(), forwards.join()].into_iter().filter(Result::is_err).count();
    crate::expect(ended == 1, format_args!("{ended} of two tasks were ended"))?;
    crate::harmless(environment, "one task of the circle was ended")
}

fn lock(first: &Mutex<i32>, second: &Mutex<i32>) {
    let mut held = match first.lock() {
        Ok(held) => held,
        Err(poisoned) => poisoned.into_inner(),
    };
    task::sleep(Duration::from_millis(50));
    *held += match second.lock() {
        Ok(other) => *other,
        Err(poisoned) => *poisoned.into_inner(),
    };
}
