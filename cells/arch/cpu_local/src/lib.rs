//! The data of each CPU, found through the GS base: the CPU's number, the task that runs on it, whether that task may be
//! preempted, and the ledger of its locks.
//!
//! Guarantees, to every cell above: once a CPU has run [`init_boot_cpu`] or [`init_cpu`], each access here is one
//! or two instructions relative to GS, so it belongs to one CPU even if the caller is preempted in between; and the
//! values that belong to the *task* (current task, ledger, fault context) are the caller's own wherever it runs.
//! Nothing here may be used before that initialisation. Nothing here allocates, locks or fails.
#![cfg_attr(not(test), no_std)]

mod cpu;
mod guards;
mod per_cpu;

use core::arch::asm;
use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::ptr;

use lock_ledger::Ledger;
use x86_64::VirtAddr;
use x86_64::registers::model_specific::GsBase;

use crate::cpu::LIMIT;

pub use cpu::{CpuId, CpuSet, MAX_CPUS};
pub use guards::{InterruptGuard, PreemptGuard, RESCHEDULE, interrupts_enabled, preempt_if_pending};
pub use per_cpu::PerCpu;

/// One CPU's block. The offsets are used by the accessors below, which read through GS.
#[repr(C, align(64))]
struct Block {
    /// Address of this block, for code that needs it as a reference.
    itself: UnsafeCell<*const Block>,
    cpu: UnsafeCell<u32>,
    local_apic: UnsafeCell<u32>,
    /// How many guards forbid preemption on this CPU.
    preempt_count: UnsafeCell<u32>,
    /// How many guards keep interrupts away, and bit 9 if they came before the first. Belongs to the task.
    interrupt_guards: UnsafeCell<u32>,
    /// Interrupts and exceptions being handled on this CPU, one on top of the other.
    interrupt_depth: UnsafeCell<u32>,
    /// Not zero: the guard that allows preemption again gives up the CPU.
    reschedule_pending: UnsafeCell<u32>,
    current_task: UnsafeCell<*const ()>,
    fault_context: UnsafeCell<*mut ()>,
    ledger: UnsafeCell<*const Ledger>,
    boot_ledger: Ledger,
}

// SAFETY: each block is accessed through GS by the one CPU it belongs to, a word per instruction.
unsafe impl Sync for Block {}

/// The owner numbers of the boot ledgers have this bit; those of tasks do not.
pub const BOOT_OWNER: u64 = 1 << 63;

impl Block {
    const fn new(cpu: u32) -> Self {
        Self {
            itself: UnsafeCell::new(ptr::null()),
            cpu: UnsafeCell::new(cpu),
            local_apic: UnsafeCell::new(0),
            // A CPU starts with preemption forbidden; the scheduler allows it when its first task runs.
            preempt_count: UnsafeCell::new(1),
            interrupt_guards: UnsafeCell::new(0),
            interrupt_depth: UnsafeCell::new(0),
            reschedule_pending: UnsafeCell::new(0),
            current_task: UnsafeCell::new(ptr::null()),
            fault_context: UnsafeCell::new(ptr::null_mut()),
            ledger: UnsafeCell::new(ptr::null()),
            boot_ledger: Ledger::new(BOOT_OWNER | cpu as u64),
        }
    }
}

static BLOCKS: [Block; MAX_CPUS] = {
    let mut blocks = [const { Block::new(0) }; MAX_CPUS];
    let mut cpu = 1;
    while cpu < LIMIT {
        blocks[cpu as usize] = Block::new(cpu);
        cpu += 1;
    }
    blocks
};

/// Reads one field of this CPU's block.
macro_rules! read {
    ($field:ident, u32) => {{
        let value: u32;
        // SAFETY: GS points at this CPU's block, and a load of one word cannot be torn.
        unsafe {
            asm!("mov {:e}, gs:[{}]", out(reg) value, const offset_of!($crate::Block, $field),
                options(nostack, preserves_flags, readonly));
        }
        value
    }};
    ($field:ident, $type:ty) => {{
        let value: usize;
        // SAFETY: as above.
        unsafe {
            asm!("mov {}, gs:[{}]", out(reg) value, const offset_of!($crate::Block, $field),
                options(nostack, preserves_flags, readonly));
        }
        value as $type
    }};
}

/// Writes one field of this CPU's block.
macro_rules! write {
    ($field:ident, u32, $value:expr) => {
        // SAFETY: GS points at this CPU's block, which only this CPU writes; one word is stored at once.
        unsafe {
            asm!("mov gs:[{}], {:e}", const offset_of!($crate::Block, $field), in(reg) $value,
                options(nostack, preserves_flags));
        }
    };
    ($field:ident, $value:expr) => {
        // SAFETY: as above.
        unsafe {
            asm!("mov gs:[{}], {}", const offset_of!($crate::Block, $field), in(reg) $value,
                options(nostack, preserves_flags));
        }
    };
}

/// Makes the boot CPU's block usable: the first thing that the kernel does.
///
/// # Safety
/// Runs once, on the boot CPU, before anything else here is used.
pub unsafe fn init_boot_cpu() {
    // SAFETY: the caller is the boot CPU; its APIC's number is set later.
    unsafe { init_cpu(CpuId::BOOT, 0) };
}

/// Makes the calling CPU's block usable.
///
/// # Safety
/// Runs once per CPU, on that CPU, with a number that no other CPU has.
pub unsafe fn init_cpu(cpu: CpuId, local_apic: u32) {
    let block = &BLOCKS[cpu.index()];
    // SAFETY: no other CPU uses this block, and this one not yet: the caller says so.
    unsafe {
        *block.itself.get() = block;
        *block.ledger.get() = &block.boot_ledger;
    }
    GsBase::write(VirtAddr::from_ptr(block));
    set_local_apic(local_apic);
}

/// The CPU that the caller runs on; still true afterwards only with preemption off.
#[inline]
pub fn cpu_id() -> CpuId {
    CpuId::of_this_block(read!(cpu, u32))
}

/// The number of this CPU's local APIC.
pub fn local_apic() -> u32 {
    read!(local_apic, u32)
}

/// Notes the number of this CPU's local APIC, once it has been read from the APIC itself.
pub fn set_local_apic(number: u32) {
    write!(local_apic, u32, number);
}

/// The task that runs here, as the scheduler set it; null before there are tasks.
#[inline]
pub fn current_task() -> *const () {
    read!(current_task, *const ())
}

/// Sets the value of [`current_task`].
///
/// # Safety
/// For the scheduler at a switch: `task` is of the type that all callers of [`current_task`] expect, and outlives its turn.
#[inline]
pub unsafe fn set_current_task(task: *const ()) {
    write!(current_task, task);
}

/// The fault context of the task that runs here; null before there are tasks.
#[inline]
pub fn fault_context() -> *mut () {
    read!(fault_context, *mut ())
}

/// Sets the value of [`fault_context`].
///
/// # Safety
/// For the scheduler at a switch: `context` belongs to the task that runs from now on.
#[inline]
pub unsafe fn set_fault_context(context: *mut ()) {
    write!(fault_context, context);
}

/// The ledger of the task that runs here, or of this CPU's boot.
#[inline]
pub fn ledger() -> &'static Ledger {
    let ledger = read!(ledger, *const Ledger);
    // SAFETY: set in `init_cpu`, and by `set_ledger` to one that outlives the task's turn; a caller uses it during
    // that turn, being the task itself (or an interrupt on top of it).
    unsafe { &*ledger }
}

/// Sets the value of [`ledger`]; null stands for this CPU's boot ledger.
///
/// # Safety
/// For the scheduler at a switch: the ledger belongs to the task that runs from now on and lives as long as it does.
#[inline]
pub unsafe fn set_ledger(ledger: *const Ledger) {
    let ledger = if ledger.is_null() { &raw const BLOCKS[cpu_id().index()].boot_ledger } else { ledger };
    write!(ledger, ledger);
}

/// The owner number of the running context, which it writes into the words of the locks that it takes.
#[inline]
pub fn owner() -> u64 {
    ledger().owner()
}

/// How many guards forbid preemption on this CPU. A new CPU starts with one, which is the scheduler's to take back.
#[inline]
pub fn preempt_count() -> u32 {
    read!(preempt_count, u32)
}

/// Sets the count outright.
///
/// # Safety
/// For the scheduler when the first task starts on a CPU, and for recovery after the guards of a lost frame:
/// no guard that is still going to be dropped is left out or counted twice.
pub unsafe fn set_preempt_count(count: u32) {
    write!(preempt_count, u32, count);
}

/// Whether the running task can be preempted: no guard forbids it and no interrupt is being handled.
#[inline]
pub fn preemption_enabled() -> bool {
    preempt_count() == 0 && interrupt_depth() == 0
}

/// Asks this CPU to give up its task as soon as preemption allows.
#[inline]
pub fn set_reschedule_pending() {
    write!(reschedule_pending, u32, 1u32);
}

/// Whether that was asked.
#[inline]
pub fn reschedule_pending() -> bool {
    read!(reschedule_pending, u32) != 0
}

/// Withdraws the request and says whether there was one.
#[inline]
pub fn take_reschedule_pending() -> bool {
    let pending = reschedule_pending();
    write!(reschedule_pending, u32, 0u32);
    pending
}

/// How many interrupt guards the running context has, as the guards count them: to be kept for it while it has no CPU.
#[inline]
pub fn interrupt_guards() -> u32 {
    read!(interrupt_guards, u32)
}

/// Sets the value of [`interrupt_guards`].
///
/// # Safety
/// `word` was read in the context that goes on, when the same guards lived.
#[inline]
pub unsafe fn set_interrupt_guards(word: u32) {
    write!(interrupt_guards, u32, word);
}

/// How many interrupts and exceptions this CPU is handling, one on top of the other.
#[inline]
pub fn interrupt_depth() -> u32 {
    read!(interrupt_depth, u32)
}

/// Sets the depth outright.
///
/// # Safety
/// For the interrupt dispatcher, and for recovery when it leaves handlers behind that will never return.
#[inline]
pub unsafe fn set_interrupt_depth(depth: u32) {
    write!(interrupt_depth, u32, depth);
}

/// The boot ledger of a CPU, for recovery before tasks run.
pub fn boot_ledger(cpu: CpuId) -> &'static Ledger {
    &BLOCKS[cpu.index()].boot_ledger
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_ledgers_have_owners_of_their_own() {
        let owners: std::collections::HashSet<_> = BLOCKS.iter().map(|block| block.boot_ledger.owner()).collect();
        assert_eq!(owners.len(), MAX_CPUS);
    }
}
