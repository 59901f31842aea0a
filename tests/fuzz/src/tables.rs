//! Tables that firmware and boot loaders leave in memory.

use std::fmt;

use acpi_discovery::{MAX_ENTRIES, PhysicalMemory, Platform, discover};
use addresses::PhysAddr;
use boot_information::{BootInformation, MAX_COMMAND_LINE, MAX_REGIONS, Memory, Region, multiboot, pvh};

/// Where the bytes lie in physical memory. There is nothing else.
pub const BASE: u64 = 0x1000;

/// Where the sample's ACPI tables lie, from [`BASE`] on: root pointer, and tables with their sums put right.
pub const ROOT: usize = 0;
/// Table of tables, interrupt controllers, power, byte code.
pub const TABLES: [usize; 4] = [0x40, 0x100, 0x200, 0x400];

/// Memory with some bytes in it.
struct Image<'a>(&'a [u8]);

/// There are no such bytes.
#[derive(Debug)]
struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no memory there")
    }
}

impl std::error::Error for Nothing {}

impl Memory for Image<'_> {
    fn bytes(&self, region: Region) -> Option<&[u8]> {
        let start = region.start.checked_sub(BASE)?;
        let end = start.checked_add(region.bytes)?;
        self.0.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }
}

impl PhysicalMemory for Image<'_> {
    type Error = Nothing;

    fn read(&self, address: PhysAddr, buffer: &mut [u8]) -> Result<(), Nothing> {
        let region = Region { start: address.as_u64(), bytes: buffer.len() as u64 };
        buffer.copy_from_slice(self.bytes(region).ok_or(Nothing)?);
        Ok(())
    }
}

/// Makes the bytes from `start` on add up to zero by the one at `place`.
fn seal(bytes: &mut [u8], start: usize, length: usize, place: usize) {
    let Some(table) = bytes.get_mut(start..).and_then(|rest| rest.get_mut(..length)) else { return };
    if let Some(byte) = table.get_mut(place) {
        *byte = 0;
        let sum = table.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        table[place] = sum.wrapping_neg();
    }
}

/// What ACPI tables say, if they are not refused. Sums are put right before: an author of a table can write its sum, too.
///
/// # Panics
/// If the reader panics.
pub fn platform(bytes: &[u8]) -> Option<Platform> {
    let mut bytes = bytes.to_vec();
    for table in TABLES {
        let length = bytes
            .get(table + 4..table + 8)
            .map_or(0, |field| field.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte)));
        seal(&mut bytes, table, length, 9);
    }
    seal(&mut bytes, ROOT, 20, 8);
    discover(&Image(&bytes), Some(PhysAddr::new(BASE + ROOT as u64))).ok()
}

/// Reads ACPI tables as the boot does.
///
/// # Panics
/// If the reader panics, or finds what no table can say.
pub fn acpi(bytes: &[u8]) {
    let Some(platform) = platform(bytes) else { return };
    assert!((1..=MAX_ENTRIES).contains(&platform.cpus.len()));
    assert!(platform.io_apics.len() <= MAX_ENTRIES && platform.overrides.len() <= MAX_ENTRIES);
    if let Some(power) = platform.power {
        assert!(power.control_a != 0 && power.control_b != Some(0));
    }
}

/// Reads the tables of the PVH protocol as the boot does, with the start-of-day structure at the beginning of the bytes.
///
/// # Panics
/// If the reader panics, or keeps more than there is room for.
pub fn boot(bytes: &[u8]) {
    if let Some(information) = pvh::read(&Image(bytes), BASE, 0) {
        look_at(&information);
    }
}

/// As much as a boot loader's tables of the Multiboot2 protocol may take here.
const MAX_BYTES: usize = 0x1000;

/// Bytes where they lie in physical memory: at the beginning of a page, as far as the processor is concerned.
#[repr(align(8))]
struct Aligned([u8; MAX_BYTES]);

/// What the tables of the Multiboot2 protocol say, if they are not refused. They are at the beginning of the bytes.
///
/// # Panics
/// If the reader panics.
pub fn multiboot_information(bytes: &[u8]) -> Option<BootInformation> {
    let length = bytes.len().min(MAX_BYTES);
    let mut aligned = Aligned([0; MAX_BYTES]);
    aligned.0[..length].copy_from_slice(&bytes[..length]);
    multiboot::read(&Image(&aligned.0[..length]), BASE, 0)
}

/// Reads the tables of the Multiboot2 protocol as the boot does.
///
/// # Panics
/// If the reader panics, keeps more than there is room for, or finds a root pointer that the tables do not hold.
pub fn multiboot(bytes: &[u8]) {
    let Some(information) = multiboot_information(bytes) else { return };
    look_at(&information);
    let tables = information.tables;
    assert!(information.acpi_root.is_none_or(|root| root >= tables.start && root + 20 <= tables.start + tables.bytes));
}

fn look_at(information: &BootInformation) {
    assert!(information.usable().len() <= MAX_REGIONS && information.command_line().len() <= MAX_COMMAND_LINE);
    let _ = information.option("log");
}
