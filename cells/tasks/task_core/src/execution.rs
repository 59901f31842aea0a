//! The part of a task's record that the scheduler works with: where the task stands, and what it has had.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use cpu_local::CpuId;

use crate::state::StateWord;

/// How a task runs. [`Task::execution`](crate::Task::execution) gives it to the scheduler.
#[derive(Debug)]
pub struct Execution {
    /// Where the task was switched out; the switch itself writes it.
    stack_pointer: UnsafeCell<u64>,
    /// Set from before the task is switched to until after its registers are saved.
    busy: UnsafeCell<bool>,
    pub(crate) state: StateWord,
    cpu: AtomicU32,
    ticks: AtomicU64,
    switches: AtomicU64,
}

// SAFETY: the two cells are words that the assembly of the switch writes by single stores; all other accesses are atomic.
unsafe impl Sync for Execution {}

impl Execution {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self {
            stack_pointer: UnsafeCell::new(0),
            busy: UnsafeCell::new(false),
            state: StateWord::new(),
            cpu: AtomicU32::new(0),
            ticks: AtomicU64::new(0),
            switches: AtomicU64::new(0),
        }
    }

    #[inline]
    fn busy(&self) -> &AtomicBool {
        // SAFETY: the byte lives as long as the task, and the switch writes it by single stores only.
        unsafe { AtomicBool::from_ptr(self.busy.get()) }
    }

    fn stack_pointer(&self) -> &AtomicU64 {
        // SAFETY: the word lives as long as the task, and the switch writes it by single stores only.
        unsafe { AtomicU64::from_ptr(self.stack_pointer.get()) }
    }

    #[inline]
    pub(crate) fn is_busy(&self) -> bool {
        self.busy().load(Ordering::Acquire)
    }

    pub(crate) fn saved_stack_pointer(&self) -> Option<u64> {
        // The switch stores the word before it clears the flag.
        (!self.is_busy()).then(|| self.stack_pointer().load(Ordering::Relaxed))
    }

    /// Sets where a task that never ran begins.
    pub(crate) fn set_stack_pointer(&self, address: u64) {
        self.stack_pointer().store(address, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn cpu(&self) -> CpuId {
        CpuId::new(self.cpu.load(Ordering::Relaxed)).unwrap_or(CpuId::BOOT)
    }

    pub(crate) fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    pub(crate) fn switches(&self) -> u64 {
        self.switches.load(Ordering::Relaxed)
    }

    /// Notes that the task is about to get `cpu`. Interrupts are off.
    #[inline]
    pub fn enter(&self, cpu: CpuId) {
        self.busy().store(true, Ordering::Relaxed);
        self.cpu.store(cpu.number(), Ordering::Relaxed);
        self.switches.store(self.switches.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// The words that the switch itself writes: saved stack pointer, busy flag.
    #[inline]
    pub fn switch_words(&self) -> (*mut u64, *mut bool) {
        (self.stack_pointer.get(), self.busy.get())
    }

    /// Counts a timer tick of the running task.
    #[inline]
    pub fn count_tick(&self) {
        self.ticks.store(self.ticks.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}
