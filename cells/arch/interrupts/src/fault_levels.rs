//! The levels of each CPU's fault stack, one for each exception that is being handled on it.

use core::sync::atomic::{AtomicU8, Ordering};

use cpu_local::{CpuId, MAX_CPUS, PerCpu, cpu_id};

use crate::segments::{FAULT_LEVELS, move_fault_stack};

static LEVELS: PerCpu<AtomicU8> = PerCpu::new([const { AtomicU8::new(0) }; MAX_CPUS]);

/// One level of this CPU's fault stack, taken until it is dropped: the next exception gets the level below.
pub(crate) struct Level {
    cpu: CpuId,
    is_last: bool,
}

impl Level {
    /// Takes the next level.
    ///
    /// # Safety
    /// Interrupts are off, and the CPU runs on its fault stack until the level is dropped or left behind.
    pub(crate) unsafe fn enter() -> Self {
        let cpu = cpu_id();
        let before = LEVELS[cpu].fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise; `drop` takes the move back.
        unsafe { move_fault_stack(cpu, -1) };
        Self { cpu, is_last: before + 1 >= FAULT_LEVELS }
    }

    /// Whether there is no level below.
    pub(crate) const fn is_last(&self) -> bool {
        self.is_last
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        LEVELS[self.cpu].fetch_sub(1, Ordering::Relaxed);
        // SAFETY: takes back the move of `enter`.
        unsafe { move_fault_stack(self.cpu, 1) };
    }
}

/// The levels of a CPU's fault stack that are in use.
pub fn fault_levels(cpu: CpuId) -> u8 {
    LEVELS[cpu].load(Ordering::Relaxed)
}

/// Gives back the levels of this CPU's fault stack that belong to handlers that do not return. Such a handler has faulted
/// or panicked itself.
///
/// # Safety
/// Interrupts are off, and the CPU neither stands on one of its emergency stacks nor returns to one.
pub unsafe fn leave_fault_stack() {
    let cpu = cpu_id();
    let levels = &LEVELS[cpu];
    if levels.load(Ordering::Relaxed) != 0 {
        let levels = levels.swap(0, Ordering::Relaxed);
        // SAFETY: takes back the moves of the handlers that are gone.
        unsafe { move_fault_stack(cpu, levels.into()) };
    }
}
