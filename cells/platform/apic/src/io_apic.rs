//! The I/O APICs.
//!
//! Source: Intel 82093AA I/O APIC datasheet (order number 290566), 3.1 and 3.2.

use alloc::vec::Vec;

use acpi_tables::{Platform, SourceOverride};
use cpu_local::CpuId;
use interrupts::{Interrupt, Registration};
use mapping::{Device, MappedPages, map_physical};
use spin_lock::SpinLock;

use crate::redirection::{SILENT, Wiring, entry, nmi_entry, wiring};
use crate::{ApicError, number_of};

/// The window (datasheet 3.1): a register's number is written to the first, then its value is read or written at the second.
const SELECT: usize = 0x00;
const DATA: usize = 0x10;
/// The register that tells the number of entries (datasheet 3.2.2), and the first of them, of two registers each (3.2.4).
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

/// An ISA interrupt that comes to a CPU. Dropping it silences the line first, and then frees the interrupt.
#[derive(Debug)]
#[must_use = "the line is silent again when this is dropped"]
pub struct Line<I> {
    /// The global interrupt that the line is.
    number: u32,
    _interrupt: I,
}

impl<I> Drop for Line<I> {
    fn drop(&mut self) {
        // It was routed, so there is an input, and no error.
        let _silenced = IO_APICS.lock().set(self.number, SILENT);
    }
}

/// Lets an ISA interrupt come to `cpu`, where its handler is called.
///
/// # Errors
/// If the interrupt is none of the ISA's, if no I/O APIC has its input, or if the CPU cannot be addressed.
pub fn route(registration: Registration, cpu: CpuId) -> Result<Line<Registration>, ApicError> {
    let vector = registration.interrupt().vector();
    let number = connect(registration.interrupt(), cpu, |wiring, destination| entry(wiring, vector, destination))?;
    Ok(Line { number, _interrupt: registration })
}

/// Lets an ISA interrupt come to `cpu` as an NMI, also while the CPU takes no interrupts.
///
/// # Errors
/// As [`route`].
pub fn route_as_nmi(interrupt: Interrupt, cpu: CpuId) -> Result<Line<Interrupt>, ApicError> {
    let number = connect(&interrupt, cpu, nmi_entry)?;
    Ok(Line { number, _interrupt: interrupt })
}

/// Connects the interrupt's input with the CPU; returns the global interrupt that it is.
fn connect(interrupt: &Interrupt, cpu: CpuId, entry: impl FnOnce(Wiring, u8) -> u64) -> Result<u32, ApicError> {
    let line = interrupt.isa_line().ok_or(ApicError::NoLine(interrupt.vector()))?;
    let number = number_of(cpu).ok_or(ApicError::NoSuchCpu(cpu))?;
    let destination = u8::try_from(number).map_err(|_| ApicError::NumberTooLarge(number))?;
    let io_apics = IO_APICS.lock();
    let wiring = wiring(line, &io_apics.overrides);
    io_apics.set(wiring.interrupt, entry(wiring, destination))?;
    Ok(wiring.interrupt)
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
