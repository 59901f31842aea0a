//! Tasks that must not end, for example the one that disposes of the others.

use core::time::Duration;

use unwinder::{Caught, catch_root};
use x86_64::instructions::interrupts;

use crate::rights::FAULT;
use crate::sleep::sleep;

/// The pause before work is taken up again: a fault that comes again at once must not take a CPU for itself.
const PAUSE: Duration = Duration::from_millis(20);

/// Does `work` for ever. A fault or an order to end costs the piece of work in hand: its frames are unwound, its locks are
/// released, and `work` begins anew.
pub(crate) fn run(work: fn()) -> ! {
    let mut before = None;
    loop {
        // Ends and injected faults come at interrupts. With interrupts off none comes where only the task's root would catch it.
        interrupts::disable();
        let body = || {
            interrupts::enable();
            recover(before.take());
            work();
            interrupts::disable();
        };
        // SAFETY: the work is a function of the kernel's cells. It keeps its guards in its frames, not in thread locals.
        let outcome = unsafe { catch_root(body) };
        before = outcome.err();
        if let Some(current) = task_core::current() {
            current.with_record(|task| task.faults(FAULT).withdraw_end());
        }
    }
}

fn recover(before: Option<Caught>) {
    if let (Some(caught), Some(current)) = (before, task_core::current()) {
        log::warn!("task {} '{}' takes up its work again: {caught}", current.id(), current.name());
        sleep(PAUSE);
    }
}
