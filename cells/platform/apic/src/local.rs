//! A CPU's local APIC: its registers, in memory (xAPIC) or as model-specific registers (x2APIC).
//!
//! Source: Intel SDM volume 3, 12.4.1 and table 12-1 (registers), 12.12.1 (extended mode).

use core::arch::x86_64::__cpuid;

use addresses::PhysAddr;
use mapping::{Device, MappedPages, map_physical};
use spin::Once;
use x86_64::registers::model_specific::Msr;

use crate::ApicError;
use interrupts::vectors;

/// Registers by their offset in memory; as model-specific registers they are at `0x800 + offset / 16`.
#[derive(Clone, Copy)]
#[repr(u16)]
pub(crate) enum Register {
    Id = 0x020,
    TaskPriority = 0x080,
    EndOfInterrupt = 0x0b0,
    Spurious = 0x0f0,
    ErrorStatus = 0x280,
    CommandLow = 0x300,
    CommandHigh = 0x310,
    Timer = 0x320,
    Line0 = 0x350,
    Line1 = 0x360,
    Error = 0x370,
    InitialCount = 0x380,
    CurrentCount = 0x390,
    Divide = 0x3e0,
}

/// How the registers are reached; the same on all CPUs.
enum Access {
    Memory(MappedPages<Device>),
    Extended,
}

static ACCESS: Once<Access> = Once::new();

/// The model-specific register that holds the APIC's mode, and its bits.
const BASE: u32 = 0x1b;
const BASE_ENABLE: u64 = 1 << 11;
const BASE_EXTENDED: u64 = 1 << 10;
/// The bit of CPUID leaf 1, `ecx`, that announces the extended mode.
const CPUID_EXTENDED: u32 = 1 << 21;
/// The bit of CPUID leaf 1, `edx`, that announces the local APIC.
const CPUID_PRESENT: u32 = 1 << 9;

/// Spurious register: the APIC takes part.
const SOFTWARE_ENABLE: u32 = 1 << 8;
/// Local vector table: this source does not interrupt.
pub(crate) const MASKED: u32 = 1 << 16;
/// Local vector table: deliver as NMI.
const DELIVER_NMI: u32 = 0b100 << 8;

/// Decides on the mode and maps the registers if they are in memory.
///
/// # Safety
/// `address` is where the local APIC's registers are.
pub(crate) unsafe fn map(address: PhysAddr) -> Result<(), ApicError> {
    if __cpuid(1).edx & CPUID_PRESENT == 0 {
        return Err(ApicError::Absent);
    }
    let access = if __cpuid(1).ecx & CPUID_EXTENDED != 0 {
        Access::Extended
    } else {
        // SAFETY: the caller gives the address of registers, and they reach no memory.
        Access::Memory(unsafe { map_physical(address, 4096, Device)? })
    };
    ACCESS.call_once(|| access);
    Ok(())
}

/// Whether the registers are model-specific registers.
pub(crate) fn is_extended() -> bool {
    matches!(ACCESS.get(), Some(Access::Extended))
}

fn extended(register: Register) -> Msr {
    Msr::new(0x800 + u32::from(register as u16) / 16)
}

#[expect(clippy::cast_possible_truncation, reason = "the registers in use here have 32 bits")]
pub(crate) fn read(register: Register) -> u32 {
    match ACCESS.get() {
        Some(Access::Memory(registers)) => registers.read(usize::from(register as u16)).unwrap_or(0),
        // SAFETY: the processor has the extended mode and `enable` has switched it on; reading changes nothing.
        Some(Access::Extended) => unsafe { extended(register).read() as u32 },
        None => 0,
    }
}

pub(crate) fn write(register: Register, value: u32) {
    match ACCESS.get() {
        Some(Access::Memory(registers)) => {
            // All registers lie in the mapped page.
            let _within = registers.write(usize::from(register as u16), value);
        }
        // SAFETY: as above; the value concerns interrupts only, which this cell is for.
        Some(Access::Extended) => unsafe { extended(register).write(u64::from(value)) },
        None => {}
    }
}

/// Writes both halves of the command register at once; extended mode only.
pub(crate) fn write_extended_command(value: u64) {
    // SAFETY: the caller has seen that the mode is extended.
    unsafe { extended(Register::CommandLow).write(value) };
}

/// Switches on the calling CPU's local APIC, with nothing but errors enabled, and NMI where the hardware has it.
pub(crate) fn enable() {
    let mut base = Msr::new(BASE);
    // SAFETY: switches the APIC on, in the mode that the processor has announced.
    unsafe {
        let mode = if is_extended() { BASE_EXTENDED } else { 0 };
        let value = base.read();
        base.write(value | BASE_ENABLE | mode);
    }
    write(Register::Timer, MASKED);
    write(Register::Line0, MASKED);
    write(Register::Line1, DELIVER_NMI);
    write(Register::Error, u32::from(vectors::APIC_ERROR));
    write(Register::TaskPriority, 0);
    // The register shows the errors since it was last written.
    write(Register::ErrorStatus, 0);
    write(Register::Spurious, SOFTWARE_ENABLE | u32::from(vectors::SPURIOUS));
    // The firmware may have left an interrupt unacknowledged.
    write(Register::EndOfInterrupt, 0);
}

/// The calling CPU's APIC number as the processor itself has it, before its APIC is set up. It is cut to 8 bits, in which the
/// number of a boot CPU fits.
pub fn boot_id() -> u32 {
    __cpuid(1).ebx >> 24
}

/// The calling CPU's APIC number.
pub fn id() -> u32 {
    let value = read(Register::Id);
    if is_extended() { value } else { value >> 24 }
}

/// Says that the interrupt being handled is done. `interrupts` does this after each handler.
///
/// # Safety
/// An interrupt was handled on this CPU, and is acknowledged only here: else the one below it could come again before its
/// handler is done.
pub unsafe fn end_of_interrupt() {
    write(Register::EndOfInterrupt, 0);
}
