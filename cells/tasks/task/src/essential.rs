//! Tasks that must not end: who disposes of the others, who restarts them.

use core::time::Duration;

use unwinder::{Caught, catch_root};
use x86_64::instructions::interrupts;

use crate::{RIGHT, sleep};

/// The pause before work is taken up again: a fault that comes again at once must not take a CPU for itself.
const PAUSE: Duration = Duration::from_millis(20);

/// Does `work` for ever. A fault of any kind, and an order to end, cost what it had in hand: its frames are unwound and its
/// locks released, and it begins anew.
pub(crate) fn run(work: fn()) -> ! {
    let mut before = None;
    loop {
        // Faults are asked for at interrupts: with these off none comes where only the task's own root could stop it.
        interrupts::disable();
        let body = || {
            interrupts::enable();
            recover(before.take());
            work();
            interrupts::disable();
        };
        // SAFETY: the work is a function of the kernel's cells. It keeps its guards in its frames, not in thread locals.
        let turn = unsafe { catch_root(body) };
        before = turn.err();
        if let Some(current) = task_core::current() {
            current.record(RIGHT).faults(RIGHT).withdraw_end();
        }
    }
}

fn recover(before: Option<Caught>) {
    if let (Some(caught), Some(current)) = (before, task_core::current()) {
        log::warn!("task {} '{}' takes up its work again: {caught}", current.id(), current.name());
        sleep(PAUSE);
    }
}
