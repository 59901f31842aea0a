//! The I/O APICs.

use alloc::vec::Vec;

use acpi_tables::{Platform, SourceOverride};
use cpu_local::CpuId;
use interrupts::vectors;
use mapping::{Device, MappedPages, map_physical};
use spin_lock::SpinLock;

use crate::redirection::{SILENT, Wiring, entry, nmi_entry, wiring};
use crate::{ApicError, number_of};

/// The window: write a register's number to the first, then read or write the second.
const SELECT: usize = 0x00;
const DATA: usize = 0x10;
/// The register that tells how many entries there are, and the first of them (two registers each).
const VERSION: u32 = 0x01;
const ENTRIES: u32 = 0x10;

struct IoApic {
    window: MappedPages<Device>,
    first_interrupt: u32,
    inputs: u32,
}

struct IoApics {
    controllers: Vec<IoApic>,
    overrides: Vec<SourceOverride>,
}

static IO_APICS: SpinLock<IoApics> = SpinLock::new(IoApics { controllers: Vec::new(), overrides: Vec::new() });

impl IoApic {
    fn read(&self, register: u32) -> u32 {
        // The window lies within the mapped page.
        let _within = self.window.write(SELECT, register);
        self.window.read(DATA).unwrap_or(0)
    }

    fn write(&self, register: u32, value: u32) {
        let _within = self.window.write(SELECT, register);
        let _within = self.window.write(DATA, value);
    }

    #[expect(clippy::cast_possible_truncation, reason = "an entry is written in two halves")]
    fn set_entry(&self, input: u32, entry: u64) {
        let register = ENTRIES + 2 * input;
        // Masked while it is half changed.
        self.write(register, SILENT as u32);
        self.write(register + 1, (entry >> 32) as u32);
        self.write(register, entry as u32);
    }
}

/// Maps all controllers and masks all their inputs.
///
/// # Safety
/// The addresses in `platform` are those of I/O APICs.
pub(crate) unsafe fn map(platform: &Platform) -> Result<(), ApicError> {
    let mut controllers = Vec::new();
    for found in &platform.io_apics {
        // The window begins a page on every machine; a device mapping starts at the page anyway.
        // SAFETY: the caller gives the address of registers, and they reach no memory.
        let window = unsafe { map_physical(found.address, 0x20, Device)? };
        let mut controller = IoApic { window, first_interrupt: found.first_interrupt, inputs: 0 };
        controller.inputs = (controller.read(VERSION) >> 16 & 0xff) + 1;
        (0..controller.inputs).for_each(|input| controller.set_entry(input, SILENT));
        controllers.push(controller);
    }
    let found = IoApics { controllers, overrides: platform.overrides.clone() };
    *IO_APICS.lock() = found;
    Ok(())
}

/// Lets ISA interrupt `irq` (0 to 15) come to `cpu`, by the vector that is returned; its handler has been registered.
pub fn route_isa(irq: u8, cpu: CpuId) -> Result<u8, ApicError> {
    let vector = vectors::ISA + (irq & 0x0f);
    route(irq, cpu, |wiring, destination| entry(wiring, vector, destination))?;
    Ok(vector)
}

/// Lets ISA interrupt `irq` come to `cpu` as an NMI, whether it takes interrupts or not.
pub fn route_isa_as_nmi(irq: u8, cpu: CpuId) -> Result<(), ApicError> {
    route(irq, cpu, nmi_entry)
}

fn route(irq: u8, cpu: CpuId, entry: impl FnOnce(Wiring, u8) -> u64) -> Result<(), ApicError> {
    let number = number_of(cpu).ok_or(ApicError::NoSuchCpu(cpu))?;
    let destination = u8::try_from(number).map_err(|_| ApicError::NumberTooLarge(number))?;
    let io_apics = IO_APICS.lock();
    let wiring = wiring(irq, &io_apics.overrides);
    io_apics.set(wiring.interrupt, entry(wiring, destination))
}

/// Lets ISA interrupt `irq` come no more.
pub fn mask_isa(irq: u8) -> Result<(), ApicError> {
    let io_apics = IO_APICS.lock();
    io_apics.set(wiring(irq, &io_apics.overrides).interrupt, SILENT)
}

impl IoApics {
    fn set(&self, interrupt: u32, entry: u64) -> Result<(), ApicError> {
        self.controllers
            .iter()
            .find_map(|controller| {
                let input = interrupt.checked_sub(controller.first_interrupt)?;
                (input < controller.inputs).then(|| controller.set_entry(input, entry))
            })
            .ok_or(ApicError::NoInput { interrupt })
    }
}
