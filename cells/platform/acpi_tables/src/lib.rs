//! What the firmware says, in its ACPI tables, about CPUs, interrupt controllers, power-off and reset.
//!
//! Guarantees: [`init`] reads the tables once, as [`acpi_discovery`] does, and keeps what it found as plain values in a
//! [`Platform`]; afterwards no table is mapped. It fails as that does, or if a table cannot be mapped.
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
/// otherwise it is searched for where PCs have it. A second call gives what the first one found.
pub fn init(root: Option<PhysAddr>) -> Result<&'static Platform, TablesError> {
    PLATFORM.try_call_once(|| acpi_discovery::discover(&mapper::Mapper, root))
}

/// What [`init`] found.
pub fn platform() -> Option<&'static Platform> {
    PLATFORM.get()
}
