//! What a CPU does when there is nothing to do.

use core::sync::atomic::{AtomicU64, Ordering};

use cpu_local::{CpuSet, InterruptGuard, MAX_CPUS, PerCpu};
use task_core::{SpawnCap, Task};
use x86_64::instructions::interrupts;

use crate::{balance, queues, switch};

/// The CPUs that halt now, with the number of times that each has halted.
#[derive(Clone, Copy, Debug)]
pub struct IdleCpus {
    /// The CPUs that halt now.
    pub now: CpuSet,
    /// How often each CPU has halted since boot.
    pub halts: [u64; MAX_CPUS],
}

static HALTS: PerCpu<AtomicU64> = PerCpu::new([const { AtomicU64::new(0) }; MAX_CPUS]);

/// The idle CPUs.
pub fn idle_cpus() -> IdleCpus {
    let mut halts = [0; MAX_CPUS];
    for (cpu, count) in HALTS.iter() {
        halts[cpu.index()] = count.load(Ordering::Relaxed);
    }
    IdleCpus { now: queues::idle(), halts }
}

/// Makes `idle` the idle task of the calling CPU: from now on tasks can be queued there.
///
/// # Safety
/// Once per CPU, on that CPU, before it calls [`begin`]. `idle` is made as an idle task, calls [`idle_turn`] for ever and never
/// ends.
pub unsafe fn bring_online(idle: &'static Task) {
    let cpu = cpu_local::cpu_id();
    switch::set_idle_task(cpu, idle);
    queues::set_online(cpu);
}

/// Begins with the idle task of the calling CPU, which takes part in scheduling from now on. The caller and its stack are
/// forgotten.
///
/// # Safety
/// After [`bring_online`] on this CPU. The caller's frames own nothing that must be dropped, and no guard.
pub unsafe fn begin() -> ! {
    interrupts::disable();
    switch::begin_idle(cpu_local::cpu_id())
}

/// One round of an idle task, which alone calls this: halts until there is something to run, or something to take over from
/// another CPU. The caller loops around it, so an idle CPU leaves this cell again and again and does not keep a replaced
/// scheduler from being freed.
pub fn idle_turn(_right: SpawnCap) {
    switch::answer_stop_machine();
    let irq_off = InterruptGuard::new();
    let cpu = cpu_local::cpu_id();
    // First say so, then look at the queue; `wake::notify` does it the other way round (docs/memory-order.md, 3).
    queues::set_idle(cpu);
    if queues::length(cpu) != 0 || balance::steal(cpu, &irq_off) {
        // SAFETY: the idle task holds no guard here, and handles no interrupt.
        unsafe { switch::preempt() };
        drop(irq_off);
    } else {
        HALTS[cpu].fetch_add(1, Ordering::Relaxed);
        irq_off.halt();
    }
}
