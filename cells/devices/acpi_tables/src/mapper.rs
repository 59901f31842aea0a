//! Seeing physical memory that no cell owns, for as long as it takes to copy a table out of it.

use addresses::{PAGE_SIZE, PhysAddr};
use mapping::{MapError, ReadOnly, map_physical};

/// Lets `work` see bytes of physical memory.
#[expect(clippy::cast_possible_truncation, reason = "an offset in a page")]
pub(crate) fn with_bytes<R>(address: PhysAddr, size: usize, work: impl FnOnce(&[u8]) -> R) -> Result<R, MapError> {
    // SAFETY: what firmware left there is memory, and nobody writes to it any more.
    let mapped = unsafe { map_physical(address, size, ReadOnly)? };
    let inside = (address.as_u64() % PAGE_SIZE as u64) as usize;
    Ok(work(&mapped.bytes()[inside..inside + size]))
}
