//! A CPU that is alone.
//!
//! It has no neighbour that would watch it. The old interval timer (8254), which nothing else uses once the clock is measured,
//! sends it an NMI every 55 ms instead. If [`ALARMS`] of these come in a row and no other interrupt between them, the CPU has
//! kept interrupts off all that time. That is time in which the CPU ran: alarms that come while the host does not run it are
//! one afterwards.

use core::sync::atomic::{AtomicU64, Ordering};

use apic::{ApicError, Line};
use cpu_local::CpuId;
use interrupts::{Interrupt, Interrupted};
use spin::Once;
use x86_64::instructions::port::Port;

use crate::cpus::{TIMEOUT, end};

/// Alarms without another interrupt after which the CPU hangs: [`TIMEOUT`], twice as between neighbours.
const ALARMS: u64 = 2 * 1000 * TIMEOUT.as_secs() / PERIOD_MILLISECONDS;
/// The timer's longest period.
const PERIOD_MILLISECONDS: u64 = 55;

/// The ISA interrupt of the timer's channel 0.
pub const ALARM_LINE: u8 = 0;
const CHANNEL_0: u16 = 0x40;
const COMMAND: u16 = 0x43;
/// Channel 0, both bytes, mode 2 (again and again), binary.
const COMMAND_PERIODIC: u8 = 0b0011_0100;

/// Alarms in a row.
static SILENT: AtomicU64 = AtomicU64::new(0);
/// The CPU's count of interrupts at the last alarm.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// The line by which the alarm comes.
static LINE: Once<Line<Interrupt>> = Once::new();

/// Sets the alarm for the boot CPU, if it is the only one.
pub(crate) fn init(alarm: Interrupt) -> Result<(), ApicError> {
    if scheduler::scheduling_cpus().len() > 1 {
        return Ok(());
    }
    let (mut command, mut data) = (Port::<u8>::new(COMMAND), Port::<u8>::new(CHANNEL_0));
    // SAFETY: the ports belong to the timer on every PC, and nothing else uses channel 0. A count of zero is the longest.
    unsafe {
        command.write(COMMAND_PERIODIC);
        data.write(0);
        data.write(0);
    }
    LINE.try_call_once(|| apic::route_as_nmi(alarm, CpuId::BOOT))?;
    Ok(())
}

/// Counts an alarm, for [`nmi::ALARM`]: between any two instructions.
pub fn on_alarm(interrupted: &mut Interrupted<'_>) {
    let count = interrupts::handled(cpu_local::cpu_id());
    let is_silent = count == COUNT.swap(count, Ordering::Relaxed) + 1 && !interrupted.registers().interrupts_enabled();
    let silent = if is_silent { SILENT.load(Ordering::Relaxed) + 1 } else { 0 };
    if silent < ALARMS {
        SILENT.store(silent, Ordering::Relaxed);
    } else {
        SILENT.store(0, Ordering::Relaxed);
        end(interrupted);
    }
}
