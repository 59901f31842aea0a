//! Puts the parts of fault handling together: the one cell that knows all of them.
//!
//! Guarantees: after [`init_early`] an exception is logged and classified; after [`init`], with tasks running,
//! every fault of a task is unwound, recorded with its place, and its task restarted if it is supervised. Can fail:
//! [`init`] needs a task of its own for the supervisor.
#![no_std]

mod dropped_locks;

use fault_context::FaultContext;
use fault_log::Place;
use interrupts::Interrupt;
use task_core::Machinery;
use unwinder::{Caught, Detail};

pub use watchdog::ALARM_LINE;

// SAFETY: this cell has the scheduler tell recovery of ticks, which changes tasks as they asked for, and starts the supervisor,
// which the system cannot do without.
const RIGHT: Machinery = unsafe { Machinery::new() };

/// Handles exceptions from now on: as early as there is a descriptor table.
pub fn init_early() {
    exceptions::init();
    unwinder::set_last_resort(last_resort);
}

/// Starts to record, to inject, to watch and to supervise. Once, when tasks run. `alarm` is the interrupt of a CPU that is
/// alone: ISA interrupt [`ALARM_LINE`].
///
/// # Errors
/// If there is no task for the supervisor.
pub fn init(alarm: Interrupt) -> Result<(), supervisor::SupervisorError> {
    fault_log::set_resolver(Some(place_of));
    unwinder::set_caught_hook(on_caught);
    lock_ledger::set_drop_hook(dropped_locks::forget);
    fault_injection::init();
    watchdog::init(alarm);
    scheduler::set_tick_hook(RIGHT, fault_injection::on_tick);
    scheduler::set_watch_hook(RIGHT, watchdog::on_tick);
    supervisor::init(RIGHT)
}

/// In the task that faulted, at the place that caught it.
fn on_caught(context: &FaultContext, caught: &Caught, detail: Detail) {
    fault_log::record(context, caught, detail);
    if caught.at_root {
        supervisor::notify();
    }
}

fn place_of(address: u64, visit: &mut dyn FnMut(Place<'_>)) {
    if let Some(location) = namespace::location_of(address) {
        visit(Place { cell: location.cell(), function: location.symbol(), offset: location.offset });
    }
}

/// The last rung: what could not be recovered from ends the run, with the log on the serial port.
fn last_resort() -> ! {
    log::error!("recovery is at its end");
    for record in fault_log::records() {
        log::error!("{record}");
    }
    power::fail()
}
