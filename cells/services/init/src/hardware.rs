//! From a boot CPU with memory to CPUs that are interrupted and run tasks.

use core::fmt;

use apic::ApicError;
use boot_information::BootInformation;
use interrupts::{ClaimError, Interrupt, InterruptCap, vectors};
use mapping::MapError;
use scheduler::SchedulerInterrupts;
use x86_64::PhysAddr;

use crate::hooks;

// SAFETY: the boot gives each interrupt to the one cell that drives its source.
const RIGHT: InterruptCap = unsafe { InterruptCap::new() };

/// What is missing.
pub(crate) enum HardwareError {
    Apic(ApicError),
    Map(MapError),
    Interrupt(ClaimError),
}

impl fmt::Display for HardwareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apic(error) => error.fmt(f),
            Self::Map(error) => error.fmt(f),
            Self::Interrupt(error) => error.fmt(f),
        }
    }
}

/// The interrupts of the devices that are driven by tasks.
pub(crate) struct DeviceInterrupts {
    /// Of the interval timer, which watches a CPU that is alone.
    pub(crate) alarm: Interrupt,
    /// Of the serial port.
    pub(crate) serial: Interrupt,
}

/// Brings up interrupts, the timer, and all CPUs, which begin to run tasks.
pub(crate) fn start(information: &BootInformation) -> Result<DeviceInterrupts, HardwareError> {
    hooks::set_all();
    let root = information.acpi_root.and_then(|root| PhysAddr::try_new(root).ok());
    let platform = acpi_tables::init(root).unwrap_or_else(|error| {
        log::warn!("{error}: one CPU runs, and only an emulator can be powered off");
        acpi_tables::assume_pc(apic::boot_id())
    });
    power::init(information.command_line()).map_err(HardwareError::Map)?;
    // SAFETY: this is the boot CPU, once, with interrupts off; the platform is what the firmware says.
    unsafe { apic::init(platform).map_err(HardwareError::Apic)? };
    tlb_shootdown::init(message(vectors::SHOOTDOWN)?);
    match real_time_clock::init() {
        Ok(date) => log::info!("it is {date}"),
        Err(error) => log::warn!("{error}"),
    }
    task::init(SchedulerInterrupts {
        timer: message(vectors::TIMER)?,
        reschedule: message(vectors::RESCHEDULE)?,
        kill: message(vectors::KILL)?,
    });
    // SAFETY: this is the boot CPU, once, and the local APIC was initialised above.
    if let Err(error) = unsafe { smp::start_all(platform, task::start_cpu, message(vectors::STOP)?) } {
        log::error!("this stays the only CPU: {error}");
    }
    Ok(DeviceInterrupts { alarm: line(recovery::ALARM_LINE)?, serial: line(userland::SERIAL_LINE)? })
}

fn message(vector: u8) -> Result<Interrupt, HardwareError> {
    Interrupt::claim(RIGHT, vector).map_err(HardwareError::Interrupt)
}

fn line(number: u8) -> Result<Interrupt, HardwareError> {
    Interrupt::claim_isa(RIGHT, number).map_err(HardwareError::Interrupt)
}
