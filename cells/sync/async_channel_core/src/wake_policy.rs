//! Whom a message wakes: one waiting task for each message.
//!
//! The overlay `batching` holds the other variant.

use cpu_local::InterruptGuard;
use wait_queue::WaitQueue;

/// A message went in; `_length` are in flight now.
pub(crate) fn after_send(receivers: &WaitQueue, _length: usize, irq_off: &InterruptGuard) {
    receivers.wake_one_irq_off(irq_off);
}

/// A message came out; `_length` of at most `_capacity` are in flight now.
pub(crate) fn after_receive(senders: &WaitQueue, _length: usize, _capacity: usize, irq_off: &InterruptGuard) {
    senders.wake_one_irq_off(irq_off);
}
