//! Seeing physical memory that no cell owns, for as long as it takes to copy a table out of it.

use acpi_discovery::PhysicalMemory;
use addresses::{PAGE_SIZE, PhysAddr};
use mapping::{MapError, ReadOnly, map_physical};

pub(crate) struct Mapper;

impl PhysicalMemory for Mapper {
    type Error = MapError;

    #[expect(clippy::cast_possible_truncation, reason = "an offset in a page")]
    fn read(&self, address: PhysAddr, buffer: &mut [u8]) -> Result<(), MapError> {
        // SAFETY: the firmware left its tables in memory there, and nothing writes to them any more.
        let mapped = unsafe { map_physical(address, buffer.len(), ReadOnly)? };
        let inside = (address.as_u64() % PAGE_SIZE as u64) as usize;
        buffer.copy_from_slice(&mapped.bytes()[inside..inside + buffer.len()]);
        Ok(())
    }
}
