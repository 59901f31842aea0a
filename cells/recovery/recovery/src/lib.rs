//! The measures of recovery at each event: the one cell that knows all parts of fault handling.
//!
//! The functions are for the hooks of lower cells, which `init::hooks` sets: [`on_caught`], [`locate`],
//! [`forget_dropped_lock`] and [`last_resort`].
//!
//! Messages on faults name a task as `task NUMBER 'NAME'`. An error says that the system has lost a part for good; a warning,
//! that it has recovered from a fault; a piece of information, the measure that it takes.
//!
//! Guarantees: with the hooks set and tasks running, every fault of a task is unwound and recorded with its place; after
//! [`start`] its task is restarted if it is supervised. Can fail: [`start`] needs a task of its own for the supervisor.
#![no_std]

mod blame;
mod dropped_locks;
mod rounds;

pub use blame::locate;
pub use dropped_locks::forget_dropped_lock;

use fault_context::FaultContext;
use interrupts::Interrupt;
use task::SpawnError;
use task_core::EssentialCap;
use unwinder::{Caught, Detail};

pub use watchdog::ALARM_LINE;

// SAFETY: this cell starts the supervisor, which the system cannot do without.
const ESSENTIAL: EssentialCap = unsafe { EssentialCap::new() };

/// Starts to watch and to supervise. Once, when tasks run. `alarm` is the interrupt of a CPU that is alone: ISA interrupt
/// [`ALARM_LINE`].
///
/// # Errors
/// The supervisor's task cannot be made.
pub fn start(alarm: Interrupt) -> Result<(), SpawnError> {
    watchdog::init(alarm);
    rounds::start()
}

/// Records a fault: for [`unwinder::CAUGHT`], in the task that faulted, at the place that caught it.
pub fn on_caught(context: &FaultContext, caught: &Caught, detail: Detail) {
    fault_injection::fault_in_noting(context);
    fault_log::record(context, caught, detail);
    if caught.at_root {
        supervisor::notify();
    }
}

/// The last rung of the ladder, for [`unwinder::LAST_RESORT`]: a fault from which nothing recovers ends the run, with the
/// log on the serial port.
pub fn last_resort() -> ! {
    log::error!("recovery is at its end");
    for record in fault_log::records() {
        log::error!("{record}");
    }
    power::fail()
}
