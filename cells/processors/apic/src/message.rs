//! Messages from CPU to CPU.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use cpu_local::{CpuId, CpuSet, InterruptGuard, MAX_CPUS, PerCpu, cpu_id};

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

/// Says which local APIC a CPU has.
pub fn set_cpu(cpu: CpuId, number: u32) {
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

/// All CPUs that have said which APIC they have.
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

/// Interrupts a CPU by `vector`. To the calling CPU it works too, once interrupts are on.
pub fn send_ipi(cpu: CpuId, vector: u8) -> Result<(), ApicError> {
    let number = number_of(cpu).ok_or(ApicError::NoSuchCpu(cpu))?;
    send(number, FIXED | ASSERT | u32::from(vector))
}

/// Interrupts all other CPUs by `vector`, and says which they are.
pub fn send_ipi_others(vector: u8) -> Result<CpuSet, ApicError> {
    // Who "the others" are must not change on the way.
    let _stay = cpu_local::PreemptGuard::new();
    let others = all().without(cpu_id());
    for cpu in others.iter() {
        send_ipi(cpu, vector)?;
    }
    Ok(others)
}

/// Sends a non-maskable interrupt to a CPU.
pub fn send_nmi(cpu: CpuId) -> Result<(), ApicError> {
    let number = number_of(cpu).ok_or(ApicError::NoSuchCpu(cpu))?;
    send(number, NMI | ASSERT)
}

/// Resets the CPU with this APIC number into waiting for a startup message.
///
/// # Safety
/// The CPU runs nothing that anybody waits for.
pub unsafe fn send_init(number: u32) -> Result<(), ApicError> {
    send(number, INIT | ASSERT)
}

/// Starts the CPU with this APIC number, which waits for this message, in real mode at page `page`.
///
/// # Safety
/// At that page there is code that brings the CPU to where the system wants it.
pub unsafe fn send_startup(number: u32, page: u8) -> Result<(), ApicError> {
    send(number, STARTUP | ASSERT | u32::from(page))
}
