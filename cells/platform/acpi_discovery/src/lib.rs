//! From the bytes of ACPI tables to their facts about CPUs, interrupt controllers, power-off and reset.
//!
//! Guarantees, for all bytes: [`discover`] reads no table before it has checked its length and sum, follows no
//! list beyond the end of its table, ends, and does not panic. A fact that no table has is absent, not guessed. It runs
//! wherever physical memory can be read, so the host's tests can damage tables as they like.
//!
//! How it can fail: without a root pointer, or without the table that lists the CPUs, there is a [`TablesError`] and no
//! platform; a missing or damaged power description only leaves `power` and `reset` empty.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod discovery;
mod root;
mod sleep;

use alloc::vec;
use alloc::vec::Vec;
use core::{error, fmt};

use addresses::PhysAddr;

pub use discovery::{MAX_ENTRIES, discover};

/// Reads physical memory.
pub trait PhysicalMemory {
    /// Why it cannot be read.
    type Error: error::Error;

    /// Copies the bytes at `address` into `buffer`.
    ///
    /// # Errors
    /// If that memory cannot be seen.
    fn read(&self, address: PhysAddr, buffer: &mut [u8]) -> Result<(), Self::Error>;
}

/// The facts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Platform {
    /// All usable CPUs, the boot CPU among them, in the firmware's order.
    pub cpus: Vec<Cpu>,
    /// Where each CPU sees the registers of its own local APIC.
    pub local_apic: PhysAddr,
    /// All I/O APICs.
    pub io_apics: Vec<IoApic>,
    /// ISA interrupts that are wired other than one to one, active high and edge triggered.
    pub overrides: Vec<SourceOverride>,
    /// How to power off.
    pub power: Option<PowerOff>,
    /// How to reset.
    pub reset: Option<Reset>,
}

impl Platform {
    /// A PC without tables: one CPU, with the addresses and the wiring that every PC with an I/O APIC has unless its firmware
    /// says otherwise (Intel MultiProcessor Specification 1.4, 3.6.5 and table 4-1; the interval timer is at input 2, as in
    /// its default configurations). How to power off or to reset is not known.
    #[must_use]
    pub fn of_a_pc(boot_apic: u32) -> Self {
        Self {
            cpus: vec![Cpu { local_apic: boot_apic }],
            local_apic: PhysAddr::new(0xfee0_0000),
            io_apics: vec![IoApic { number: 0, address: PhysAddr::new(0xfec0_0000), first_interrupt: 0 }],
            overrides: vec![SourceOverride { irq: 0, interrupt: 2, active_low: false, level: false }],
            power: None,
            reset: None,
        }
    }
}

/// A usable CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cpu {
    /// The number of its local APIC.
    pub local_apic: u32,
}

/// A controller that turns device interrupts into messages to local APICs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IoApic {
    /// Its number.
    pub number: u8,
    /// Where its registers are.
    pub address: PhysAddr,
    /// The global interrupt that its first input is.
    pub first_interrupt: u32,
}

/// An ISA interrupt that is wired in its own way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SourceOverride {
    /// The ISA interrupt.
    pub irq: u8,
    /// The global interrupt it is.
    pub interrupt: u32,
    /// Whether low means active.
    pub active_low: bool,
    /// Whether it is a level rather than an edge.
    pub level: bool,
}

/// The registers and values that power the machine off (sleep state S5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PowerOff {
    /// Port of the PM1a control register.
    pub control_a: u16,
    /// Port of the PM1b control register, if there is one.
    pub control_b: Option<u16>,
    /// The sleep type for S5 in PM1a.
    pub sleep_type_a: u8,
    /// The sleep type for S5 in PM1b.
    pub sleep_type_b: u8,
}

/// The register and value that reset the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reset {
    /// An I/O port.
    Port {
        /// Where.
        port: u16,
        /// The value to write.
        value: u8,
    },
    /// A byte in memory space.
    Memory {
        /// Where.
        address: PhysAddr,
        /// The value to write.
        value: u8,
    },
}

/// Why there is no platform.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TablesError<E> {
    /// There is no root pointer where one can be.
    NoRoot,
    /// A table has a wrong sum, length, list or signature; here is which.
    Damaged([u8; 4]),
    /// A required table is missing.
    Missing([u8; 4]),
    /// A table cannot be read.
    Memory(E),
}

impl<E: fmt::Display> fmt::Display for TablesError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoot => write!(f, "no ACPI root pointer"),
            Self::Damaged(table) => write!(f, "the ACPI table {} is damaged", table.escape_ascii()),
            Self::Missing(table) => write!(f, "there is no ACPI table {}", table.escape_ascii()),
            Self::Memory(error) => write!(f, "an ACPI table cannot be read: {error}"),
        }
    }
}

impl<E: error::Error> error::Error for TablesError<E> {}

impl<E> From<E> for TablesError<E> {
    fn from(error: E) -> Self {
        Self::Memory(error)
    }
}
