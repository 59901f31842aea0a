//! Reads the boot loader's tables through the boot code's window.

use boot_information::{BootInformation, Memory, Region, multiboot, pvh};

use crate::{WINDOW_BASE, WINDOW_SIZE};

/// Physical memory as the boot code's tables show it.
struct Window;

impl Memory for Window {
    fn bytes(&self, region: Region) -> Option<&[u8]> {
        let end = region.start.checked_add(region.bytes)?;
        if end > WINDOW_SIZE || region.start == 0 {
            return None;
        }
        let address = usize::try_from(WINDOW_BASE + region.start).ok()?;
        let size = usize::try_from(region.bytes).ok()?;
        // SAFETY: `read`'s caller says that the window is there; nothing writes to memory that the loader filled.
        Some(unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(address), size) })
    }
}

/// The facts in the tables at `address`, of the loader with this `magic`; `None` if they are not readable.
///
/// # Safety
/// The boot code's tables are in force, and the arguments are the boot loader's.
pub(crate) unsafe fn read(magic: u32, address: u64, entry_ticks: u64) -> Option<BootInformation> {
    match magic {
        pvh::MAGIC => pvh::read(&Window, address, entry_ticks),
        multiboot::MAGIC => multiboot::read(&Window, address, entry_ticks),
        _ => None,
    }
}
