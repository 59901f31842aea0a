//! From the root pointer to a [`Platform`].

use alloc::vec;
use alloc::vec::Vec;
use core::mem::size_of;
use core::pin::Pin;

use acpi::address::{AddressSpace, GenericAddress};
use acpi::sdt::fadt::Fadt;
use acpi::sdt::madt::{Madt, MadtEntry};
use acpi::sdt::{SdtHeader, Signature};
use addresses::PhysAddr;

use crate::{Cpu, IoApic, PhysicalMemory, Platform, PowerOff, Reset, SourceOverride, TablesError, root, sleep};

/// No table but the DSDT comes near this; a longer one is a damaged header.
const LONGEST_TABLE: usize = 4 << 20;
/// Zero bytes behind a copied table, so that a type of a later revision, or the last entry of a damaged list, still
/// lies inside the copy.
const SLACK: usize = 512;
/// Entries that are looked at in a list.
pub const MAX_ENTRIES: usize = 4096;
/// Type and length of an entry of the list of interrupt controllers.
const ENTRY_HEADER: usize = 2;
/// Where the table of power has the length of the control registers, and the most that a port can have.
const CONTROL_LENGTH: usize = 89;
const LONGEST_CONTROL: u8 = 4;
/// A local APIC entry that can be used.
const CPU_ENABLED: u32 = 1;
/// An override that is active low, and one that is a level (two-bit fields of which the value 3 means so).
const ACTIVE_LOW: u16 = 0b11;
const LEVEL: u16 = 0b11 << 2;

/// A table, checked and copied.
struct Table {
    bytes: Vec<u8>,
    length: usize,
}

impl Table {
    fn read<M: PhysicalMemory>(memory: &M, address: PhysAddr) -> Result<Self, TablesError<M::Error>> {
        let mut header = [0; size_of::<SdtHeader>()];
        memory.read(address, &mut header)?;
        let [s0, s1, s2, s3, l0, l1, l2, l3, ..] = header;
        let (signature, length) = ([s0, s1, s2, s3], u32::from_le_bytes([l0, l1, l2, l3]) as usize);
        if !(size_of::<SdtHeader>()..LONGEST_TABLE).contains(&length) {
            return Err(TablesError::Damaged(signature));
        }
        let mut bytes = vec![0; length + SLACK];
        memory.read(address, &mut bytes[..length])?;
        let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        if sum != 0 { Err(TablesError::Damaged(signature)) } else { Ok(Self { bytes, length }) }
    }

    fn is(&self, signature: Signature) -> bool {
        self.bytes.starts_with(signature.as_str().as_bytes())
    }

    fn body(&self) -> &[u8] {
        &self.bytes[size_of::<SdtHeader>()..self.length]
    }
}

const _: () = assert!(size_of::<Fadt>() < SLACK && align_of::<Fadt>() == 1);
const _: () = assert!(size_of::<Madt>() < SLACK && align_of::<Madt>() == 1);

/// Reads the tables. `hint` is the physical address of the root pointer structure if the boot loader gave it; if it is not
/// there it is searched for where PCs have it.
///
/// # Errors
/// [`TablesError`], as the crate says.
pub fn discover<M: PhysicalMemory>(memory: &M, hint: Option<PhysAddr>) -> Result<Platform, TablesError<M::Error>> {
    let root = match hint {
        Some(address) if root::is_at(memory, address)? => address,
        _ => root::search(memory)?.ok_or(TablesError::NoRoot)?,
    };
    let tables = list(memory, root)?;
    let madt = tables.iter().find(|table| table.is(Signature::MADT)).ok_or(TablesError::Missing(*b"APIC"))?;
    let mut platform = interrupt_controllers(madt).ok_or(TablesError::Damaged(*b"APIC"))?;
    if platform.cpus.is_empty() {
        return Err(TablesError::Damaged(*b"APIC"));
    }
    match tables.iter().find(|table| table.is(Signature::FADT)) {
        Some(fadt) => describe_power(memory, fadt, &mut platform),
        None => log::warn!("no ACPI table FACP: power-off and reset by guess"),
    }
    Ok(platform)
}

/// All sound tables that the root names; others are reported and left out.
fn list<M: PhysicalMemory>(memory: &M, root: PhysAddr) -> Result<Vec<Table>, TablesError<M::Error>> {
    let pointer = root::table_of_tables(memory, root)?;
    let table = Table::read(memory, pointer.address)?;
    let entry = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    let tables = table.body().chunks_exact(pointer.entry_size).take(MAX_ENTRIES).map(entry);
    Ok(tables
        .filter_map(|address| match PhysAddr::try_new(address).map(|address| Table::read(memory, address)) {
            Ok(Ok(table)) => Some(table),
            Ok(Err(error)) => {
                log::warn!("{error}");
                None
            }
            Err(_) => None,
        })
        .collect())
}

/// Whether each entry of the list of interrupt controllers has its header and lies in the table: a walk along the list
/// comes to its end then, and passes it nowhere.
fn is_sound(mut entries: &[u8]) -> bool {
    while let [_, length, ..] = *entries {
        let length = usize::from(length);
        match entries.get(length..) {
            Some(rest) if length >= ENTRY_HEADER => entries = rest,
            _ => return false,
        }
    }
    entries.is_empty()
}

/// `None` if the table is no list of interrupt controllers.
fn interrupt_controllers(table: &Table) -> Option<Platform> {
    if !table.bytes.get(size_of::<Madt>()..table.length).is_some_and(is_sound) {
        return None;
    }
    // SAFETY: the copy is longer than the type, which has no alignment and consists of integers.
    let madt = unsafe { &*table.bytes.as_ptr().cast::<Madt>() };
    let mut platform = Platform {
        cpus: Vec::new(),
        local_apic: PhysAddr::new(u64::from(madt.local_apic_address)),
        io_apics: Vec::new(),
        overrides: Vec::new(),
        power: None,
        reset: None,
    };
    // SAFETY: nothing moves the table. Its entries lie behind it in the copy, one after the other to its end.
    for entry in unsafe { Pin::new_unchecked(madt) }.entries().take(MAX_ENTRIES) {
        match entry {
            MadtEntry::LocalApic(cpu) if cpu.flags & CPU_ENABLED != 0 => {
                platform.cpus.push(Cpu { local_apic: u32::from(cpu.apic_id) });
            }
            MadtEntry::LocalX2Apic(cpu) if cpu.flags & CPU_ENABLED != 0 => {
                platform.cpus.push(Cpu { local_apic: cpu.x2apic_id });
            }
            MadtEntry::IoApic(controller) => platform.io_apics.push(IoApic {
                number: controller.io_apic_id,
                address: PhysAddr::new(u64::from(controller.io_apic_address)),
                first_interrupt: controller.global_system_interrupt_base,
            }),
            MadtEntry::InterruptSourceOverride(source) => platform.overrides.push(SourceOverride {
                irq: source.irq,
                interrupt: source.global_system_interrupt,
                active_low: source.flags & ACTIVE_LOW == ACTIVE_LOW,
                level: source.flags & LEVEL == LEVEL,
            }),
            MadtEntry::LocalApicAddressOverride(place) => {
                platform.local_apic = PhysAddr::try_new(place.local_apic_address).unwrap_or(platform.local_apic);
            }
            _ => {}
        }
    }
    Some(platform)
}

/// The port of a register block, if it is one.
fn port(address: GenericAddress) -> Option<u16> {
    (address.address_space == AddressSpace::SystemIo)
        .then(|| u16::try_from(address.address).ok())
        .flatten()
        .filter(|&port| port != 0)
}

fn describe_power<M: PhysicalMemory>(memory: &M, table: &Table, platform: &mut Platform) {
    // SAFETY: the copy is longer than the type, which has no alignment and consists of integers.
    let fadt = unsafe { &*table.bytes.as_ptr().cast::<Fadt>() };
    // The reset register came with the second revision.
    if fadt.header.revision >= 2 && { fadt.flags }.supports_system_reset_via_fadt() {
        platform.reset = fadt.reset_register().ok().and_then(|register| match register.address_space {
            AddressSpace::SystemIo => port(register).map(|port| Reset::Port { port, value: fadt.reset_value }),
            AddressSpace::SystemMemory => {
                let address = PhysAddr::try_new(register.address).ok()?;
                Some(Reset::Memory { address, value: fadt.reset_value })
            }
            _ => None,
        });
    }
    if table.bytes.get(CONTROL_LENGTH).is_none_or(|length| *length > LONGEST_CONTROL) {
        log::warn!("the ACPI table FACP has no such control registers as there are: power-off by guess");
        return;
    }
    let Some(control_a) = fadt.pm1a_control_block().ok().and_then(port) else { return };
    let control_b = fadt.pm1b_control_block().ok().flatten().and_then(port);
    let code = fadt.dsdt_address().ok().and_then(|address| PhysAddr::try_new(address as u64).ok());
    match code.map(|address| Table::read(memory, address)) {
        Some(Ok(code)) => match sleep::s5_types(code.body()) {
            Some((sleep_type_a, sleep_type_b)) => {
                platform.power = Some(PowerOff { control_a, control_b, sleep_type_a, sleep_type_b });
            }
            None => log::warn!("the ACPI table DSDT names no S5: power-off by guess"),
        },
        Some(Err(error)) => log::warn!("{error}: power-off by guess"),
        None => log::warn!("no ACPI table DSDT: power-off by guess"),
    }
}
