//! The firmware's facts, from its ACPI tables, about CPUs, interrupt controllers, power-off and reset.
//!
//! Guarantees: [`init`] reads the tables once, as [`acpi_discovery`] does, and keeps the facts as plain values in a
//! [`Platform`]; afterwards no table is mapped. It fails as that does, or if a table cannot be mapped. Then [`assume_pc`]
//! gives the boot a platform of one CPU.
#![no_std]

mod mapper;

pub use acpi_discovery::{Cpu, IoApic, Platform, PowerOff, Reset, SourceOverride};

use addresses::PhysAddr;
use mapping::MapError;
use spin::Once;

/// Why there is no platform.
pub type TablesError = acpi_discovery::TablesError<MapError>;

static PLATFORM: Once<Platform> = Once::new();

/// Reads the tables. `root` is the physical address of the root pointer structure if the boot loader gave it;
/// otherwise it is searched for where PCs have it. A second call returns the platform of the first.
///
/// # Errors
/// If there is no root pointer, or if a table that is needed is missing, damaged or cannot be mapped.
pub fn init(root: Option<PhysAddr>) -> Result<&'static Platform, TablesError> {
    PLATFORM.try_call_once(|| acpi_discovery::discover(&mapper::Mapper, root))
}

/// Takes the platform for a PC with one CPU, the one with local APIC `boot_apic`: for a firmware without tables.
pub fn assume_pc(boot_apic: u32) -> &'static Platform {
    PLATFORM.call_once(|| Platform::of_a_pc(boot_apic))
}

/// The platform, once it is known.
pub fn platform() -> Option<&'static Platform> {
    PLATFORM.get()
}
