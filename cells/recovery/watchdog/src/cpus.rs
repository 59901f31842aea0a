//! CPUs that take no interrupts.
//!
//! Each CPU watches the next one, on its own timer tick: if the neighbour's count of interrupts stands still for
//! [`TIMEOUT`] although its timer ticks a thousand times a second, its interrupts have been off all that time.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use cpu_local::{CpuId, CpuSet, MAX_CPUS, PerCpu};
use fault_context::{Cause, FaultKind};
use interrupts::Interrupted;

/// How long a CPU may keep interrupts off before it is accused. Far more than any code does; but under emulation a busy
/// host may not run a CPU's thread for as long, so it takes a second accusation to be condemned.
pub const TIMEOUT: Duration = Duration::from_secs(2);

struct Watch {
    /// The neighbour's count of interrupts when it was last seen to change.
    count: AtomicU64,
    /// When that was, in ticks of the time stamp counter.
    since: AtomicU64,
    /// This CPU's own count of interrupts when it was accused.
    accused_at: AtomicU64,
}

static WATCHES: PerCpu<Watch> = PerCpu::new(
    [const { Watch { count: AtomicU64::new(0), since: AtomicU64::new(0), accused_at: AtomicU64::new(0) } }; MAX_CPUS],
);

/// Looks at this CPU's neighbour. For the timer; a few dozen instructions.
pub fn on_tick() {
    let here = cpu_local::cpu_id();
    if let Some(neighbour) = neighbour(here, scheduler::scheduling_cpus()) {
        watch(neighbour);
    }
}

/// The next CPU after `here`, if there is another one.
fn neighbour(here: CpuId, cpus: CpuSet) -> Option<CpuId> {
    let after = cpus.iter().find(|cpu| cpu.number() > here.number());
    after.or_else(|| cpus.iter().next()).filter(|&cpu| cpu != here)
}

fn watch(cpu: CpuId) {
    let watch = &WATCHES[cpu];
    let (count, now) = (interrupts::handled(cpu), clock::now().ticks);
    if count != watch.count.swap(count, Ordering::Relaxed) || watch.since.load(Ordering::Relaxed) == 0 {
        watch.since.store(now, Ordering::Relaxed);
        return;
    }
    let silent = clock::ticks_to_duration(now.saturating_sub(watch.since.load(Ordering::Relaxed)));
    if silent < TIMEOUT {
        return;
    }
    watch.since.store(now, Ordering::Relaxed);
    log::info!("CPU {cpu} has taken no interrupt for {} ms", silent.as_millis());
    // SAFETY: the CPU has taken no interrupt for the timeout, so its task is given up for lost; its locks are in ledgers.
    if let Err(error) = unsafe { nmi::request_fault(cpu) } {
        log::error!("CPU {cpu} cannot be told: {error}");
    }
}

/// On the CPU that is accused, between any two instructions: for [`nmi::FAULT`]. Ends the task that keeps it, if the only
/// interrupt since the last accusation is this NMI and the task does keep interrupts off; a CPU that the host did not run has taken
/// others by then.
pub fn on_nmi(interrupted: &mut Interrupted<'_>) {
    let here = cpu_local::cpu_id();
    let count = interrupts::handled(here);
    let before = WATCHES[here].accused_at.swap(count, Ordering::Relaxed);
    if count != before + 1 || interrupted.registers().interrupts_enabled() {
        return;
    }
    end(interrupted);
}

/// Ends the interrupted task, as a hang.
pub(crate) fn end(interrupted: &mut Interrupted<'_>) {
    // SAFETY: the unwinder leaves registers with which the task goes on in the unwinder, or changes none.
    let registers = unsafe { interrupted.registers_mut() };
    let cause = Cause { instruction: registers.rip, ..Cause::of(FaultKind::Hang) };
    // SAFETY: the registers are those of the interrupted code, and NMIs are handled with interrupts off.
    if !unsafe { unwinder::begin_fault(registers, cause) } {
        log::error!("CPU {} hangs, and runs no task that could be ended", cpu_local::cpu_id());
        unwinder::nothing_catches();
    }
}
