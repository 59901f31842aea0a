//! Starting the other CPUs: all that the firmware lists, up to `MAX_CPUS`.
//!
//! Guarantees: a CPU in [`online`] has its own stack (with a guard page), segments, emergency stacks, per-CPU block and
//! local APIC, has interrupts off, and is in, or about to call, the function that [`start_all`] was given. Code for
//! starting CPUs exists below 1 MiB only meanwhile, and no page of it is ever writable and executable.
//!
//! How it can fail: a CPU that cannot be given its stacks, or does not come within two seconds, is reported and left
//! out; the others are started all the same. Only if there is no way to start any is there a [`StartError`].
#![cfg_attr(not(test), no_std)]

mod equipment;
mod trampoline;

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use core::{error, fmt};

use acpi_tables::Platform;
use apic::ApicError;
use cpu_local::{CpuId, CpuSet, MAX_CPUS};
use interrupts::{Interrupt, Interrupted, Registration};
use mapping::MapError;
use spin::Once;
use x86_64::instructions::{hlt, interrupts as flag, tlb};

use crate::equipment::Equipment;
use crate::trampoline::Trampoline;

/// Why no other CPU can be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StartError {
    /// There is no place for the code of starting CPUs.
    Map(MapError),
    /// The local APIC does not send.
    Apic(ApicError),
    /// The code for starting CPUs is longer than its page.
    TooLong(usize),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(error) => error.fmt(f),
            Self::Apic(error) => error.fmt(f),
            Self::TooLong(bytes) => write!(f, "{bytes} bytes of code for starting CPUs do not fit a page"),
        }
    }
}

impl error::Error for StartError {}

impl From<MapError> for StartError {
    fn from(error: MapError) -> Self {
        Self::Map(error)
    }
}

impl From<ApicError> for StartError {
    fn from(error: ApicError) -> Self {
        Self::Apic(error)
    }
}

/// After the reset message a CPU needs this long before it takes the startup message, says its manual.
const RESET_TIME: Duration = Duration::from_millis(10);
/// A CPU that has not come by then gets a second startup message, as the manual wants.
const FIRST_TIMEOUT: Duration = Duration::from_millis(100);
/// Emulated CPUs that share a host CPU come late, but not as late as this.
const SECOND_TIMEOUT: Duration = Duration::from_secs(2);

static ONLINE: AtomicU32 = AtomicU32::new(CpuSet::EMPTY.with(CpuId::BOOT).bits());
static CPU_MAIN: Once<fn(CpuId) -> !> = Once::new();
/// The message by which a CPU is stopped for good.
static STOP: Once<Registration> = Once::new();

/// The CPUs that run.
pub fn online() -> CpuSet {
    CpuSet::from_bits(ONLINE.load(Ordering::Acquire))
}

/// Starts all other CPUs, each of which calls `cpu_main` on a stack of its own, with interrupts off and preemption
/// forbidden once. Returns those that run. `stop` is the message that stops them.
///
/// # Errors
/// There is no memory for the first stack or for the code that a CPU starts with; a single CPU that does not come is
/// reported in the log and left out.
///
/// # Safety
/// Runs once, on the boot CPU, when `apic` works: the message that starts a CPU resets one that runs. `cpu_main` is a
/// function of the kernel's cells.
pub unsafe fn start_all(platform: &Platform, cpu_main: fn(CpuId) -> !, stop: Interrupt) -> Result<CpuSet, StartError> {
    CPU_MAIN.call_once(|| cpu_main);
    let own = apic::id();
    let mut others = [0; MAX_CPUS];
    let mut count = 0;
    for cpu in platform.cpus.iter().filter(|cpu| cpu.local_apic != own) {
        // The boot CPU takes the first of the numbers.
        if count + 1 == MAX_CPUS {
            log::warn!("more CPUs than {MAX_CPUS}: the rest stays off");
            break;
        }
        others[count] = cpu.local_apic;
        count += 1;
    }
    let others = &others[..count];
    if others.is_empty() {
        return Ok(online());
    }
    STOP.call_once(|| stop.handle(on_stop));
    let mut trampoline = Trampoline::new(first_code)?;
    for &number in others {
        // SAFETY: the CPU has not been started, so it runs nothing.
        unsafe { apic::send_init(number)? };
    }
    clock::spin_for(RESET_TIME);
    let mut next = 1;
    for &number in others {
        let Some(cpu) = CpuId::new(next) else { break };
        match start(cpu, number, &mut trampoline) {
            Ok(()) => next += 1,
            Err(problem) => log::error!("the CPU of APIC {number} stays off: {problem}"),
        }
    }
    log::info!("{} CPUs run", online().len());
    Ok(online())
}

/// Why one CPU was not started.
enum Problem {
    Equipment(MapError),
    Apic(ApicError),
    Silent,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equipment(error) => write!(f, "no stacks for it: {error}"),
            Self::Apic(error) => error.fmt(f),
            Self::Silent => write!(f, "it does not come"),
        }
    }
}

fn start(cpu: CpuId, number: u32, trampoline: &mut Trampoline) -> Result<(), Problem> {
    let equipment = Equipment::new().map_err(Problem::Equipment)?;
    trampoline.prepare(cpu, equipment.stack_end());
    equipment.give_to(cpu);
    for patience in [FIRST_TIMEOUT, SECOND_TIMEOUT] {
        // SAFETY: the trampoline is in place at its page and brings the CPU to `first_code`.
        unsafe { apic::send_startup(number, Trampoline::PAGE).map_err(Problem::Apic)? };
        if clock::spin_until(patience, || online().contains(cpu)) {
            return Ok(());
        }
    }
    // It may still come, so neither its stacks nor its number can be used for another; but it will wait in vain.
    Err(Problem::Silent)
}

/// Where a started CPU comes to from the trampoline, on its own stack, in 64-bit mode with the kernel's page tables.
extern "C" fn first_code(number: u64) -> ! {
    let cpu = u32::try_from(number).ok().and_then(CpuId::new);
    let (Some(cpu), Some(&cpu_main)) = (cpu, CPU_MAIN.get()) else { stop_here() };
    let Some(stacks) = equipment::interrupt_stacks(cpu) else { stop_here() };
    // SAFETY: this is the CPU, and this is the one time; the stacks were made for it.
    unsafe {
        cpu_local::init_cpu(cpu, 0);
        interrupts::init_cpu(cpu, stacks);
        apic::init_cpu(cpu);
    }
    log::debug!("CPU {cpu} runs, APIC {}", apic::id());
    ONLINE.fetch_or(CpuSet::EMPTY.with(cpu).bits(), Ordering::AcqRel);
    // From here on this CPU is told when translations change; the translations that it used before are forgotten.
    tlb::flush_all();
    cpu_main(cpu)
}

/// Stops all other CPUs for good, as far as they still take interrupts.
pub fn stop_others() {
    // One that does not stop is not waited for: this comes before power-off or after a fault that ends the system.
    let _tried = STOP.get().map(apic::send_ipi_others);
}

fn on_stop(_interrupted: &mut Interrupted<'_>) {
    stop_here()
}

fn stop_here() -> ! {
    loop {
        flag::disable();
        hlt();
    }
}
