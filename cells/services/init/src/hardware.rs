//! From a boot CPU with memory to CPUs that are interrupted and run tasks.

use core::fmt;

use acpi_tables::TablesError;
use apic::ApicError;
use boot_information::BootInformation;
use interrupts::RegisterError;
use mapping::MapError;
use x86_64::PhysAddr;

/// What is missing.
pub(crate) enum HardwareError {
    Tables(TablesError),
    Apic(ApicError),
    Map(MapError),
    Vector(RegisterError),
    Tasks(task::StartError),
}

impl fmt::Display for HardwareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tables(error) => error.fmt(f),
            Self::Apic(error) => error.fmt(f),
            Self::Map(error) => error.fmt(f),
            Self::Vector(error) => error.fmt(f),
            Self::Tasks(error) => error.fmt(f),
        }
    }
}

/// Brings up interrupts, the timer, and all CPUs, which begin to run tasks.
pub(crate) fn start(information: &BootInformation) -> Result<(), HardwareError> {
    recovery::init_early();
    nmi::init();
    let root = information.acpi_root.and_then(|root| PhysAddr::try_new(root).ok());
    let platform = acpi_tables::init(root).map_err(HardwareError::Tables)?;
    power::init(information.command_line()).map_err(HardwareError::Map)?;
    // SAFETY: this is the boot CPU, once, with interrupts off; the platform is what the firmware says.
    unsafe { apic::init(platform).map_err(HardwareError::Apic)? };
    tlb_shootdown::init().map_err(HardwareError::Vector)?;
    match real_time_clock::init() {
        Ok(date) => log::info!("it is {date}"),
        Err(error) => log::warn!("{error}"),
    }
    task::init().map_err(HardwareError::Tasks)?;
    if let Err(error) = smp::start_all(platform, task::start_cpu) {
        log::error!("this stays the only CPU: {error}");
    }
    Ok(())
}
