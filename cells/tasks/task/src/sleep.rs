//! Letting time pass.

use core::time::Duration;

use clock::Instant;
use wait_queue::WaitQueue;

/// Lets others run for `duration` at least. A cancellation point.
pub fn sleep(duration: Duration) {
    sleep_until(clock::now() + duration);
}

/// Lets others run until `deadline` at least. A cancellation point.
pub fn sleep_until(deadline: Instant) {
    let never_woken = WaitQueue::new();
    wait_queue::wait_for_until(&never_woken, deadline, || None::<()>);
}
