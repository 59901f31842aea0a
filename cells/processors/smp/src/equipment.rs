//! The equipment of a CPU before its start: its first stack and its emergency stacks.

use core::mem;

use addresses::{PAGE_SIZE, VirtAddr};
use cpu_local::{CpuId, MAX_CPUS, PerCpu};
use frames::Purpose;
use interrupts::{FAULT_STACK_SIZE, InterruptStacks, OTHER_STACK_SIZE};
use mapping::{MapError, MappedPages, Writable};
use spin::Once;

/// The stack on which the CPU starts, and on which its scheduler may idle.
const FIRST_STACK_SIZE: usize = 32 * 1024;

/// A stack that stays for ever, above a page that is never mapped.
struct GuardedStack {
    mapped: MappedPages<Writable>,
}

impl GuardedStack {
    fn new(size: usize) -> Result<Self, MapError> {
        let pages = pages::allocate(1 + size / PAGE_SIZE)?;
        let (guard, stack) = match pages.split(1) {
            Ok(parts) => parts,
            // More than one page was allocated.
            Err(_) => return Err(MapError::Pages(pages::PagesError::OutOfBounds)),
        };
        let mapped = mapping::allocate_at(stack, Writable, Purpose::Stack)?;
        // No other code may ever map the guard page.
        guard.into_range();
        Ok(Self { mapped })
    }

    fn end(&self) -> VirtAddr {
        self.mapped.start() + self.mapped.len() as u64
    }
}

/// All stacks of a CPU.
pub(crate) struct Equipment {
    first: GuardedStack,
    fault: GuardedStack,
    double_fault: GuardedStack,
    nmi: GuardedStack,
    machine_check: GuardedStack,
}

static INTERRUPT_STACKS: PerCpu<Once<InterruptStacks>> = PerCpu::new([const { Once::new() }; MAX_CPUS]);

/// The emergency stacks of a CPU that [`Equipment::give_to`] has equipped.
pub(crate) fn interrupt_stacks(cpu: CpuId) -> Option<InterruptStacks> {
    INTERRUPT_STACKS[cpu].get().copied()
}

impl Equipment {
    pub(crate) fn new() -> Result<Self, MapError> {
        Ok(Self {
            first: GuardedStack::new(FIRST_STACK_SIZE)?,
            fault: GuardedStack::new(FAULT_STACK_SIZE)?,
            double_fault: GuardedStack::new(OTHER_STACK_SIZE)?,
            nmi: GuardedStack::new(OTHER_STACK_SIZE)?,
            machine_check: GuardedStack::new(OTHER_STACK_SIZE)?,
        })
    }

    /// The end of the stack on which the CPU starts.
    pub(crate) fn stack_end(&self) -> VirtAddr {
        self.first.end()
    }

    /// Gives the stacks to a CPU for good.
    pub(crate) fn give_to(self, cpu: CpuId) {
        INTERRUPT_STACKS[cpu].call_once(|| InterruptStacks {
            fault: self.fault.end(),
            double_fault: self.double_fault.end(),
            nmi: self.nmi.end(),
            machine_check: self.machine_check.end(),
        });
        mem::forget(self);
    }
}
