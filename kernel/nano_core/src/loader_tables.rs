//! Reads the boot loader's tables through the boot code's window.

use boot_information::{BootInformation, Loader, Region, pvh};
use multiboot2::MemoryAreaType;

use crate::{WINDOW_BASE, WINDOW_SIZE};

/// Physical memory as the boot code's tables show it.
struct Window;

impl pvh::Memory for Window {
    fn bytes(&self, region: Region) -> Option<&[u8]> {
        let end = region.start.checked_add(region.bytes)?;
        if end > WINDOW_SIZE || region.start == 0 {
            return None;
        }
        let address = usize::try_from(WINDOW_BASE + region.start).ok()?;
        let size = usize::try_from(region.bytes).ok()?;
        // SAFETY: `read`'s caller says that the window is there; nobody writes to memory that the loader filled.
        Some(unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(address), size) })
    }
}

/// What the loader with this `magic` tells in the tables at `address`; `None` if they are not readable.
///
/// # Safety
/// The boot code's tables are in force, and the arguments are what the boot loader gave.
pub(crate) unsafe fn read(magic: u32, address: u64, entry_ticks: u64) -> Option<BootInformation> {
    match magic {
        pvh::MAGIC => pvh::read(&Window, address, entry_ticks),
        multiboot2::MAGIC if address < WINDOW_SIZE => {
            let start = usize::try_from(WINDOW_BASE + address).ok()?;
            let start = core::ptr::with_exposed_provenance(start);
            // SAFETY: the loader's magic says that the structure is there; the window shows it.
            let tables = unsafe { multiboot2::BootInformation::load(start) }.ok()?;
            Some(from_multiboot(&tables, address, entry_ticks))
        }
        _ => None,
    }
}

fn from_multiboot(tables: &multiboot2::BootInformation<'_>, address: u64, entry_ticks: u64) -> BootInformation {
    let mut information = BootInformation::new(Loader::Multiboot2, entry_ticks);
    information.tables = Region { start: address, bytes: tables.total_size() as u64 };
    if let Some(module) = tables.module_tags().next() {
        let (start, end) = (u64::from(module.start_address()), u64::from(module.end_address()));
        information.archive = Some(Region { start, bytes: end.saturating_sub(start) });
    }
    if let Some(Ok(text)) = tables.command_line_tag().map(|tag| tag.cmdline()) {
        information.set_command_line(text.as_bytes());
    }
    // GRUB hands over a copy of the root pointer; what it points to is what counts.
    let tag = tables.rsdp_v2_tag().map(|tag| core::ptr::from_ref(tag).addr());
    let tag = tag.or_else(|| tables.rsdp_v1_tag().map(|tag| core::ptr::from_ref(tag).addr()));
    // The structure follows the tag's type and size.
    information.acpi_root = tag.map(|tag| tag as u64 - WINDOW_BASE + 8);
    for area in tables.memory_map_tag().iter().flat_map(|map| map.memory_areas()) {
        if area.typ() == MemoryAreaType::Available {
            information.push_usable(Region { start: area.start_address(), bytes: area.size() });
        }
    }
    information
}
