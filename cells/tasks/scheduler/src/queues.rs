//! The run queues' locks, and what each CPU runs.

use core::mem;
use core::sync::atomic::{AtomicU32, Ordering};

use cpu_local::{CpuId, CpuSet, InterruptGuard, MAX_CPUS, PerCpu};
use policy_interface::{PolicyEntry, Priority, QueueAccess, Slot};
use spin_lock::{IrqOffGuard, SpinLock};

const _: () = assert!(MAX_CPUS == policy_interface::MAX_CPUS);

/// Inside each lock lies the proof that its holder has that CPU's queue to itself.
static LOCKS: PerCpu<SpinLock<QueueAccess>> = {
    // SAFETY: one access per CPU, each inside its lock.
    let mut locks = [const { SpinLock::new(unsafe { QueueAccess::new(0) }) }; MAX_CPUS];
    let mut cpu: u32 = 1;
    while (cpu as usize) < MAX_CPUS {
        // SAFETY: as above; what is replaced is never used.
        let unused = mem::replace(&mut locks[cpu as usize], SpinLock::new(unsafe { QueueAccess::new(cpu) }));
        // A lock's drop does not run at compile time; nobody holds this one.
        mem::forget(unused);
        cpu += 1;
    }
    PerCpu::new(locks)
};

/// For each CPU the packed policy entry of the task that it runs, written by that CPU alone.
static RUNNING: PerCpu<AtomicU32> = PerCpu::new([const { AtomicU32::new(0) }; MAX_CPUS]);

/// The CPUs that have an idle task.
static ONLINE: AtomicU32 = AtomicU32::new(0);

/// The CPUs that halt, or are about to.
static IDLE: AtomicU32 = AtomicU32::new(0);

#[inline]
pub(crate) fn lock(cpu: CpuId, irq_off: &InterruptGuard) -> IrqOffGuard<'_, QueueAccess> {
    LOCKS[cpu].lock_irq_off(irq_off)
}

#[inline]
pub(crate) fn set_running(cpu: CpuId, entry: &PolicyEntry) {
    RUNNING[cpu].store(entry.pack(), Ordering::Relaxed);
}

/// What a CPU runs, as the policy sees it. The task may have gone by the time the caller looks.
pub(crate) fn running(cpu: CpuId) -> PolicyEntry {
    const NOBODY: Slot = Slot::new(0).unwrap();
    let nothing = PolicyEntry { task: NOBODY, cpu: 0, base: Priority::LOWEST, inherited: Priority::LOWEST };
    PolicyEntry::unpack(NOBODY, RUNNING[cpu].load(Ordering::Relaxed)).unwrap_or(nothing)
}

pub(crate) fn set_online(cpu: CpuId) {
    ONLINE.fetch_or(1 << cpu.number(), Ordering::AcqRel);
}

pub(crate) fn online() -> CpuSet {
    CpuSet::from_bits(ONLINE.load(Ordering::Acquire))
}

/// Says that this CPU is about to halt. Ordered before the look at its queue that must follow.
pub(crate) fn set_idle(cpu: CpuId) {
    IDLE.fetch_or(1 << cpu.number(), Ordering::SeqCst);
}

pub(crate) fn clear_idle(cpu: CpuId) {
    IDLE.fetch_and(!(1 << cpu.number()), Ordering::SeqCst);
}

#[inline]
pub(crate) fn idle() -> CpuSet {
    CpuSet::from_bits(IDLE.load(Ordering::SeqCst))
}
