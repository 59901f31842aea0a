//! The segments, the task state segment and the emergency stacks of each CPU.
//!
//! Sources: Intel SDM volume 3, 9.2.3 (TSS descriptor in 64-bit mode) and 7.14.5 (interrupt stack table).

use core::cell::UnsafeCell;

use cpu_local::{CpuId, MAX_CPUS, PerCpu};
use x86_64::VirtAddr;
use x86_64::instructions::segmentation::{CS, DS, ES, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable};
use x86_64::structures::tss::TaskStateSegment;

/// The part of the first emergency stack that one exception may use: the hook formats log lines there, no more.
pub const FAULT_STACK_LEVEL: usize = 16 * 1024;
/// Levels of the first emergency stack: a fault, a fault in its handling, and the report that this is too much.
pub(crate) const FAULT_LEVELS: u8 = 3;
/// The first emergency stack, for all exceptions that have none of their own.
pub const FAULT_STACK_SIZE: usize = FAULT_STACK_LEVEL * FAULT_LEVELS as usize;
/// The emergency stacks for double fault, NMI and machine check.
pub const OTHER_STACK_SIZE: usize = 16 * 1024;

/// Positions in the task state segment's list of emergency stacks (the processor counts from 1, the crate from 0).
pub(crate) const FAULT: u16 = 0;
pub(crate) const DOUBLE_FAULT: u16 = 1;
pub(crate) const NMI: u16 = 2;
pub(crate) const MACHINE_CHECK: u16 = 3;

/// The emergency stacks of a CPU, each by its end (highest address, aligned to 16). They are never given back.
#[derive(Clone, Copy, Debug)]
pub struct InterruptStacks {
    /// Of [`FAULT_STACK_SIZE`] bytes.
    pub fault: VirtAddr,
    /// Of [`OTHER_STACK_SIZE`] bytes.
    pub double_fault: VirtAddr,
    /// Of [`OTHER_STACK_SIZE`] bytes.
    pub nmi: VirtAddr,
    /// Of [`OTHER_STACK_SIZE`] bytes.
    pub machine_check: VirtAddr,
}

struct CpuTables {
    segments: UnsafeCell<GlobalDescriptorTable>,
    state: UnsafeCell<TaskStateSegment>,
}

// SAFETY: only the CPU that they belong to writes them, and the processor reads them.
unsafe impl Sync for CpuTables {}

static TABLES: PerCpu<CpuTables> = PerCpu::new(
    [const {
        CpuTables {
            segments: UnsafeCell::new(GlobalDescriptorTable::new()),
            state: UnsafeCell::new(TaskStateSegment::new()),
        }
    }; MAX_CPUS],
);

#[repr(C, align(16))]
struct StackSpace<const N: usize>(UnsafeCell<[u8; N]>);

// SAFETY: only the boot CPU uses it, as a stack.
unsafe impl<const N: usize> Sync for StackSpace<N> {}

impl<const N: usize> StackSpace<N> {
    const fn new() -> Self {
        Self(UnsafeCell::new([0; N]))
    }

    fn end(&'static self) -> VirtAddr {
        VirtAddr::from_ptr(self.0.get()) + N as u64
    }
}

static BOOT_FAULT: StackSpace<FAULT_STACK_SIZE> = StackSpace::new();
static BOOT_DOUBLE_FAULT: StackSpace<OTHER_STACK_SIZE> = StackSpace::new();
static BOOT_NMI: StackSpace<OTHER_STACK_SIZE> = StackSpace::new();
static BOOT_MACHINE_CHECK: StackSpace<OTHER_STACK_SIZE> = StackSpace::new();

/// The emergency stacks of the boot CPU, which need no memory manager.
pub(crate) fn boot_stacks() -> InterruptStacks {
    InterruptStacks {
        fault: BOOT_FAULT.end(),
        double_fault: BOOT_DOUBLE_FAULT.end(),
        nmi: BOOT_NMI.end(),
        machine_check: BOOT_MACHINE_CHECK.end(),
    }
}

/// Loads the calling CPU's segments, with these emergency stacks.
///
/// # Safety
/// Runs once per CPU, on that CPU, with interrupts off. The stacks are mapped, writable, of the stated sizes, used for
/// nothing else, and stay.
pub(crate) unsafe fn load(cpu: CpuId, stacks: InterruptStacks) {
    let tables = &TABLES[cpu];
    // SAFETY: this CPU's own tables, which the processor does not use before they are loaded below.
    let (segments, state) = unsafe { (&mut *tables.segments.get(), &mut *tables.state.get()) };
    let mut list = [VirtAddr::zero(); 7];
    list[usize::from(FAULT)] = stacks.fault;
    list[usize::from(DOUBLE_FAULT)] = stacks.double_fault;
    list[usize::from(NMI)] = stacks.nmi;
    list[usize::from(MACHINE_CHECK)] = stacks.machine_check;
    state.interrupt_stack_table = list;

    let code = segments.append(Descriptor::kernel_code_segment());
    let data = segments.append(Descriptor::kernel_data_segment());
    // SAFETY: the segment lies in a static.
    let task = segments.append(unsafe { Descriptor::tss_segment_unchecked(tables.state.get()) });
    // SAFETY: the table lies in a static and holds flat kernel segments, as those in use now. FS and GS are left
    // alone: loading them would clear their bases.
    unsafe {
        segments.load_unsafe();
        CS::set_reg(code);
        SS::set_reg(data);
        DS::set_reg(data);
        ES::set_reg(data);
        load_tss(task);
    }
}

/// Moves the end of this CPU's fault stack by `levels` (negative: a new exception gets the next level below).
///
/// # Safety
/// Interrupts are off. A caller that moves it down runs on that stack, and the move is taken back before the caller returns,
/// or when it is certain that the caller never returns.
pub(crate) unsafe fn move_fault_stack(cpu: CpuId, levels: i64) {
    let state = TABLES[cpu].state.get();
    // SAFETY: this CPU's own segment, which the processor reads only when it takes an exception; the field is not
    // aligned, hence the raw accesses.
    unsafe {
        let place = (&raw mut (*state).interrupt_stack_table).cast::<u64>().add(usize::from(FAULT));
        let end = place.read_unaligned();
        place.write_unaligned(end.wrapping_add_signed(levels * FAULT_STACK_LEVEL as i64));
    }
}
