//! The advanced programmable interrupt controllers: each CPU's local APIC with its timer and its messages to other
//! CPUs, and the I/O APICs that route device interrupts.
//!
//! Guarantees: after [`init`] (boot CPU) and [`init_cpu`] (each other CPU), interrupts are acknowledged after their
//! handler; the timer's rate has been measured; a message sent by [`send_ipi`] has left the sender when the call returns;
//! device interrupts come to one CPU by their ISA vector, and only those that have a [`Line`]. Only the owner of
//! an interrupt has it routed, sent or set as the timer's. The old interrupt controllers (8259) are silent.
//!
//! How it can fail: a machine without the APICs that its tables promise gives an [`ApicError`], and nothing runs that
//! needs a timer. A message that the hardware does not accept in time is an error too, never a wait without end.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod io_apic;
mod legacy;
mod local;
mod message;
mod redirection;
mod timer;

use core::{error, fmt};

use acpi_tables::Platform;
use cpu_local::CpuId;
use mapping::MapError;

pub use io_apic::{Line, route, route_as_nmi};
pub use local::{boot_id, end_of_interrupt, id};
pub use message::{cpu_of, number_of, send_init, send_ipi, send_ipi_others, send_nmi, send_startup};
pub use timer::{start_periodic, timer_rate};

/// Why interrupts cannot be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ApicError {
    /// The processor has no local APIC.
    Absent,
    /// The registers cannot be mapped.
    Map(MapError),
    /// The timer does not count.
    TimerStands,
    /// No I/O APIC has this input.
    NoInput {
        /// The global interrupt.
        interrupt: u32,
    },
    /// The local APIC did not send a message in time.
    MessageStuck,
    /// No CPU of this number has been started.
    NoSuchCpu(CpuId),
    /// An APIC number that this mode of the APIC cannot address.
    NumberTooLarge(u32),
    /// The interrupt with this vector is no ISA interrupt, so no I/O APIC has an input for it.
    NoLine(u8),
}

impl fmt::Display for ApicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(f, "this processor has no local APIC (CPUID 1, EDX bit 9)"),
            Self::Map(error) => write!(f, "the APIC's registers cannot be mapped: {error}"),
            Self::TimerStands => write!(f, "the local APIC's timer does not count"),
            Self::NoInput { interrupt } => write!(f, "no I/O APIC has an input for interrupt {interrupt}"),
            Self::MessageStuck => write!(f, "the local APIC does not send"),
            Self::NoSuchCpu(cpu) => write!(f, "there is no CPU {cpu}"),
            Self::NumberTooLarge(number) => write!(f, "APIC {number} cannot be addressed in this mode"),
            Self::NoLine(vector) => write!(f, "the interrupt by vector {vector:#x} is no ISA interrupt"),
        }
    }
}

impl error::Error for ApicError {}

impl From<MapError> for ApicError {
    fn from(error: MapError) -> Self {
        Self::Map(error)
    }
}

/// Sets up the boot CPU's local APIC and all I/O APICs, and measures the timer (5 ms). All device interrupts are
/// masked afterwards.
///
/// # Errors
/// If the registers cannot be mapped, or if the timer does not count.
///
/// # Safety
/// Runs once, on the boot CPU with interrupts off, after `interrupts::init_boot_cpu`; `platform` is the firmware's.
pub unsafe fn init(platform: &Platform) -> Result<(), ApicError> {
    legacy::silence();
    // SAFETY: the caller passes where the firmware says the registers are.
    unsafe {
        local::map(platform.local_apic)?;
        io_apic::map(platform)?;
    }
    local::enable();
    message::set_cpu(CpuId::BOOT, id());
    cpu_local::set_local_apic(id());
    timer::measure()?;
    log::info!(
        "local APIC {} in {} mode, timer at {} kHz; {} I/O APICs",
        id(),
        if local::is_extended() { "x2APIC" } else { "xAPIC" },
        timer_rate() / 1000,
        platform.io_apics.len()
    );
    Ok(())
}

/// Sets up the calling CPU's local APIC, after [`init`] on the boot CPU.
///
/// # Safety
/// Runs once per CPU, on that CPU with interrupts off, after its `interrupts::init_cpu`.
pub unsafe fn init_cpu(cpu: CpuId) {
    local::enable();
    message::set_cpu(cpu, id());
    cpu_local::set_local_apic(id());
}
