//! The run queues: their locks and lengths, and the task that each CPU runs.

use core::mem;
use core::sync::atomic::{AtomicU32, Ordering};

use cpu_local::{CpuId, CpuSet, InterruptGuard, MAX_CPUS, PerCpu};
use policy_interface::{Arrival, PolicyEntry, Priority, QueueAccess, Slot};
use spin_lock::{IrqOffGuard, SpinLock};

const _: () = assert!(MAX_CPUS == policy_interface::MAX_CPUS);

/// Inside each lock lies the proof that its holder has that CPU's queue to itself.
static LOCKS: PerCpu<SpinLock<QueueAccess>> = {
    // SAFETY: one access per CPU, each inside its lock.
    let mut locks = [const { SpinLock::new(unsafe { QueueAccess::new(0) }) }; MAX_CPUS];
    let mut cpu: u32 = 1;
    while (cpu as usize) < MAX_CPUS {
        // SAFETY: as above; the access that is replaced is never used.
        let unused = mem::replace(&mut locks[cpu as usize], SpinLock::new(unsafe { QueueAccess::new(cpu) }));
        // A lock's drop does not run at compile time; this lock was never held.
        mem::forget(unused);
        cpu += 1;
    }
    PerCpu::new(locks)
};

/// For each CPU the number of tasks in its queue, written under the queue's lock.
static LENGTHS: PerCpu<AtomicU32> = PerCpu::new([const { AtomicU32::new(0) }; MAX_CPUS]);

/// For each CPU the packed policy entry of the task that it runs, written by that CPU alone.
static RUNNING: PerCpu<AtomicU32> = PerCpu::new([const { AtomicU32::new(0) }; MAX_CPUS]);

/// The CPUs that have an idle task.
static ONLINE: AtomicU32 = AtomicU32::new(0);

/// The CPUs that halt, or are about to.
static IDLE: AtomicU32 = AtomicU32::new(0);

/// The run queue of one CPU, locked. The policy orders the tasks in it.
pub(crate) struct Queue<'a> {
    access: IrqOffGuard<'a, QueueAccess>,
    length: &'a AtomicU32,
}

impl Queue<'_> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.length.load(Ordering::Relaxed) as usize
    }

    #[inline]
    fn set_length(&self, length: u32) {
        self.length.store(length, Ordering::Relaxed);
    }

    /// Puts a ready task into the queue, which its entry names.
    #[inline]
    pub(crate) fn insert(&mut self, entry: PolicyEntry, why: Arrival) {
        scheduling_policy::insert(&mut self.access, entry, why);
        self.set_length(self.length.load(Ordering::Relaxed) + 1);
    }

    #[inline]
    fn count_out(&self) {
        self.set_length(self.length.load(Ordering::Relaxed).saturating_sub(1));
    }

    /// Takes the task that runs next.
    #[inline]
    pub(crate) fn take_next(&mut self) -> Option<Slot> {
        let task = scheduling_policy::take_next(&mut self.access)?;
        self.count_out();
        Some(task)
    }

    /// Takes one task out; whether it was there.
    pub(crate) fn remove(&mut self, task: Slot) -> bool {
        let was_there = scheduling_policy::remove(&mut self.access, task);
        if was_there {
            self.count_out();
        }
        was_there
    }

    /// Takes a task that `admits` lets go to another CPU.
    pub(crate) fn take_for(&mut self, admits: &dyn Fn(Slot) -> bool) -> Option<Slot> {
        let task = scheduling_policy::take_for(&mut self.access, admits)?;
        self.count_out();
        Some(task)
    }

    /// A tick of the running task is over; whether it shall give way.
    pub(crate) fn tick(&mut self, running: PolicyEntry) -> bool {
        scheduling_policy::tick(&mut self.access, running)
    }
}

#[inline]
pub(crate) fn lock(cpu: CpuId, irq_off: &InterruptGuard) -> Queue<'_> {
    Queue { access: LOCKS[cpu].lock_irq_off(irq_off), length: &LENGTHS[cpu] }
}

/// How many tasks are ready on a CPU. Read without the lock, so it is stale as soon as it is known.
#[inline]
pub(crate) fn length(cpu: CpuId) -> usize {
    LENGTHS[cpu].load(Ordering::Relaxed) as usize
}

#[inline]
pub(crate) fn set_running(cpu: CpuId, entry: PolicyEntry) {
    RUNNING[cpu].store(entry.word(), Ordering::Relaxed);
}

/// The task that a CPU runs, as the policy sees it. It may have gone by the time the caller looks.
pub(crate) fn running(cpu: CpuId) -> PolicyEntry {
    const NOTHING: PolicyEntry = PolicyEntry::new(Slot::new(0).unwrap(), Priority::LOWEST);
    PolicyEntry::from_word(RUNNING[cpu].load(Ordering::Relaxed)).unwrap_or(NOTHING)
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
