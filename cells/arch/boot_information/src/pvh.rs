//! The tables of the PVH boot protocol.
//!
//! Source: Xen's public header `arch-x86/hvm/start_info.h`.

use crate::{BootInformation, Loader, MAX_READ, Memory, Region, number};

/// The first word of the start-of-day structure.
pub const MAGIC: u32 = 0x336e_c578;

const START_INFO_SIZE: u64 = 56;
const MODULE_SIZE: u64 = 32;
const MAP_ENTRY_SIZE: u64 = 24;
const USABLE: u64 = 1;
/// More entries than any firmware makes: a damaged count must not keep the kernel reading.
const MAX_ENTRIES: u64 = 256;

/// Reads the tables that start at `start_info`. `None` if they are not as the protocol says.
#[must_use]
pub fn read(memory: &dyn Memory, start_info: u64, entry_ticks: u64) -> Option<BootInformation> {
    let tables = Region { start: start_info, bytes: START_INFO_SIZE };
    let info = memory.bytes(tables)?;
    if number(info, 0, 4)? != u64::from(MAGIC) {
        return None;
    }
    let mut information = BootInformation::new(Loader::Pvh, entry_ticks);
    information.tables = tables;
    let (modules, module_list) = (number(info, 12, 4)?, number(info, 16, 8)?);
    if modules > 0 {
        let module = memory.bytes(Region { start: module_list, bytes: MODULE_SIZE })?;
        information.archive = Some(Region { start: number(module, 0, 8)?, bytes: number(module, 8, 8)? });
    }
    let command_line = number(info, 24, 8)?;
    if command_line != 0 {
        information.set_command_line(memory.bytes(Region { start: command_line, bytes: MAX_READ as u64 })?);
    }
    information.acpi_root = number(info, 32, 8).filter(|&address| address != 0);
    let (map, entries) = (number(info, 40, 8)?, number(info, 48, 4)?.min(MAX_ENTRIES));
    for entry in 0..entries {
        let start = map.checked_add(entry * MAP_ENTRY_SIZE)?;
        let entry = memory.bytes(Region { start, bytes: MAP_ENTRY_SIZE })?;
        if number(entry, 16, 4)? == USABLE {
            information.push_usable(Region { start: number(entry, 0, 8)?, bytes: number(entry, 8, 8)? });
        }
    }
    Some(information)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sample([u8; 4096]);

    impl Memory for Sample {
        fn bytes(&self, region: Region) -> Option<&[u8]> {
            let end = region.start.checked_add(region.bytes)?;
            self.0.get(usize::try_from(region.start).ok()?..usize::try_from(end).ok()?)
        }
    }

    impl Sample {
        fn put(&mut self, offset: usize, value: u64, size: usize) {
            self.0[offset..offset + size].copy_from_slice(&value.to_le_bytes()[..size]);
        }

        fn new() -> Self {
            let mut sample = Self([0; 4096]);
            for (offset, value, size) in [
                (0, u64::from(MAGIC), 4),
                (12, 1, 4),
                (16, 0x100, 8),
                (24, 0x200, 8),
                (32, 0xf0000, 8),
                (40, 0x800, 8),
                (48, 2, 4),
                (0x100, 0x700_0000, 8),
                (0x108, 1234, 8),
                (0x800, 0x10_0000, 8),
                (0x808, 0x100_0000, 8),
                (0x810, 1, 4),
                (0x818, 0xfee0_0000, 8),
                (0x828, 2, 4),
            ] {
                sample.put(offset, value, size);
            }
            sample.0[0x200..0x208].copy_from_slice(b"log=info");
            sample
        }
    }

    #[test]
    fn tables_are_read() {
        let information = read(&Sample::new(), 0, 7).unwrap();
        assert_eq!(information.archive, Some(Region { start: 0x700_0000, bytes: 1234 }));
        assert_eq!(information.usable(), [Region { start: 0x10_0000, bytes: 0x100_0000 }]);
        assert_eq!(information.command_line(), "log=info");
        assert_eq!(information.acpi_root, Some(0xf0000));
        assert_eq!(information.entry_ticks, 7);
    }

    #[test]
    fn tables_outside_memory_are_refused() {
        let mut sample = Sample::new();
        for map in [0xfff_0000, u64::MAX - 23] {
            sample.put(40, map, 8);
            assert!(read(&sample, 0, 0).is_none());
        }
        assert!(read(&sample, 4090, 0).is_none());
    }

    #[test]
    fn other_tables_are_refused() {
        let mut sample = Sample::new();
        sample.put(0, 0, 4);
        assert!(read(&sample, 0, 0).is_none());
    }
}
