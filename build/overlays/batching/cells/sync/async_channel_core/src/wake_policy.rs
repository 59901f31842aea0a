//! Whom a message wakes: all waiting senders at once when half of the buffer is free, which then fill it in one go.
//! A receiver for each message, as ever. Fewer switches under load, less fair among senders.
//!
//! The main tree holds the other variant, which wakes one task for each message.

use cpu_local::InterruptGuard;
use wait_queue::WaitQueue;

/// A message went in; `_length` are in flight now.
pub(crate) fn after_send(receivers: &WaitQueue, _length: usize, irq_off: &InterruptGuard) {
    receivers.wake_one_irq_off(irq_off);
}

/// A message came out; `length` of at most `capacity` are in flight now.
pub(crate) fn after_receive(senders: &WaitQueue, length: usize, capacity: usize, irq_off: &InterruptGuard) {
    if length <= capacity / 2 {
        senders.wake_all();
    } else {
        senders.wake_one_irq_off(irq_off);
    }
}
