//! Messages from CPU to CPU.
//!
//! Source: Intel SDM volume 3, 12.6.1 (interrupt command register) and 12.12.9 (the same in x2APIC mode).

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use cpu_local::{CpuId, CpuSet, InterruptGuard, MAX_CPUS, PerCpu, cpu_id};
use interrupts::{InterruptCap, Registration};

use crate::ApicError;
use crate::local::{self, Register};

const FIXED: u32 = 0b000 << 8;
const NMI: u32 = 0b100 << 8;
const INIT: u32 = 0b101 << 8;
const STARTUP: u32 = 0b110 << 8;
const ASSERT: u32 = 1 << 14;
/// The last message has not been accepted yet (xAPIC only).
const PENDING: u32 = 1 << 12;

/// A message is accepted within microseconds; when a hypervisor runs other CPUs first, within its time slice.
const TIMEOUT: Duration = Duration::from_secs(1);

/// APIC numbers by CPU, plus one; zero for a CPU that has not been started.
static NUMBERS: PerCpu<AtomicU32> = PerCpu::new([const { AtomicU32::new(0) }; MAX_CPUS]);

/// Notes which local APIC a CPU has.
pub(crate) fn set_cpu(cpu: CpuId, number: u32) {
    NUMBERS[cpu].store(number + 1, Ordering::Release);
}

/// The APIC number of a CPU.
pub fn number_of(cpu: CpuId) -> Option<u32> {
    NUMBERS[cpu].load(Ordering::Acquire).checked_sub(1)
}

/// The CPU that has this APIC number.
pub fn cpu_of(number: u32) -> Option<CpuId> {
    all().iter().find(|&cpu| number_of(cpu) == Some(number))
}

/// All CPUs with a known APIC.
fn all() -> CpuSet {
    let known = NUMBERS.iter().filter(|(_, number)| number.load(Ordering::Acquire) != 0);
    known.fold(CpuSet::EMPTY, |set, (cpu, _)| set.with(cpu))
}

fn send(number: u32, command: u32) -> Result<(), ApicError> {
    if local::is_extended() {
        local::write_extended_command(u64::from(number) << 32 | u64::from(command));
        return Ok(());
    }
    let number = u8::try_from(number).map_err(|_| ApicError::NumberTooLarge(number))?;
    // A handler that sends between the two halves would change the first.
    let _undisturbed = InterruptGuard::new();
    if !clock::spin_until(TIMEOUT, || local::read(Register::CommandLow) & PENDING == 0) {
        return Err(ApicError::MessageStuck);
    }
    local::write(Register::CommandHigh, u32::from(number) << 24);
    local::write(Register::CommandLow, command);
    Ok(())
}

/// Interrupts a CPU by an interrupt that the caller owns: no exception can be sent, and no message of another cell. To the
/// calling CPU it works too, once interrupts are on.
///
/// # Errors
/// If no CPU of this number has been started, or if the local APIC does not send in time.
pub fn send_ipi(cpu: CpuId, message: &Registration) -> Result<(), ApicError> {
    let number = number_of(cpu).ok_or(ApicError::NoSuchCpu(cpu))?;
    send(number, FIXED | ASSERT | u32::from(message.interrupt().vector()))
}

/// Interrupts all other CPUs, and returns the set of them.
///
/// # Errors
/// As [`send_ipi`], for the first CPU that cannot be interrupted.
pub fn send_ipi_others(message: &Registration) -> Result<CpuSet, ApicError> {
    // The set of the others must not change on the way.
    let _stay = cpu_local::PreemptGuard::new();
    let others = all().without(cpu_id());
    for cpu in others.iter() {
        send_ipi(cpu, message)?;
    }
    Ok(others)
}

/// Sends a non-maskable interrupt to a CPU. It has no vector, and so no owner.
///
/// # Errors
/// As [`send_ipi`].
pub fn send_nmi(_right: InterruptCap, cpu: CpuId) -> Result<(), ApicError> {
    let number = number_of(cpu).ok_or(ApicError::NoSuchCpu(cpu))?;
    send(number, NMI | ASSERT)
}

/// Resets the CPU with this APIC number, which then waits for a startup message.
///
/// # Errors
/// If the local APIC does not send in time, or cannot address the CPU.
///
/// # Safety
/// The CPU runs nothing that the system needs.
pub unsafe fn send_init(number: u32) -> Result<(), ApicError> {
    send(number, INIT | ASSERT)
}

/// Starts the CPU with this APIC number, which waits for this message, in real mode at page `page`.
///
/// # Errors
/// As [`send_init`].
///
/// # Safety
/// At that page there is code that brings the CPU to where the system wants it.
pub unsafe fn send_startup(number: u32, page: u8) -> Result<(), ApicError> {
    send(number, STARTUP | ASSERT | u32::from(page))
}
