//! The descriptor tables: one interrupt descriptor table for all CPUs, and for each CPU its own segments, task state
//! segment and emergency stacks.

use core::cell::UnsafeCell;
use core::mem::size_of;
use core::ptr;

use cpu_local::{CpuId, MAX_CPUS, PerCpu};
use spin::Once;
use x86_64::VirtAddr;
use x86_64::instructions::segmentation::{CS, DS, ES, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable};
use x86_64::structures::idt::{Entry as Gate, HandlerFunc, InterruptDescriptorTable};
use x86_64::structures::tss::TaskStateSegment;

use crate::entries::{self, Entry};
use crate::vectors;

/// What one exception may use of the first emergency stack: the hook formats log lines there, no more.
pub const FAULT_STACK_LEVEL: usize = 16 * 1024;
/// Levels of the first emergency stack: a fault, a fault in its handling, and the report that this is too much.
pub(crate) const FAULT_LEVELS: u8 = 3;
/// The first emergency stack, for all exceptions that have none of their own.
pub const FAULT_STACK_SIZE: usize = FAULT_STACK_LEVEL * FAULT_LEVELS as usize;
/// The emergency stacks for double fault, NMI and machine check.
pub const OTHER_STACK_SIZE: usize = 16 * 1024;

/// Positions in the task state segment's list of emergency stacks (the processor counts from 1, the crate from 0).
const FAULT: u16 = 0;
const DOUBLE_FAULT: u16 = 1;
const NMI: u16 = 2;
const MACHINE_CHECK: u16 = 3;

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

// SAFETY: each is written by the CPU it belongs to only, and read by the processor.
unsafe impl Sync for CpuTables {}

static TABLES: PerCpu<CpuTables> = PerCpu::new(
    [const {
        CpuTables {
            segments: UnsafeCell::new(GlobalDescriptorTable::new()),
            state: UnsafeCell::new(TaskStateSegment::new()),
        }
    }; MAX_CPUS],
);

static GATES: Once<InterruptDescriptorTable> = Once::new();

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

/// Sets up the boot CPU, with emergency stacks that need no memory manager.
///
/// # Safety
/// Runs once, on the boot CPU, after `cpu_local::init_boot_cpu` and with interrupts off.
pub unsafe fn init_boot_cpu() {
    let stacks = InterruptStacks {
        fault: BOOT_FAULT.end(),
        double_fault: BOOT_DOUBLE_FAULT.end(),
        nmi: BOOT_NMI.end(),
        machine_check: BOOT_MACHINE_CHECK.end(),
    };
    // SAFETY: the caller's promise; the stacks are there for ever.
    unsafe { init_cpu(CpuId::BOOT, stacks) };
}

/// Sets up the calling CPU.
///
/// # Safety
/// Runs once per CPU, on that CPU, after its `cpu_local::init_cpu` and with interrupts off. The stacks are mapped,
/// writable, of the stated sizes, used for nothing else, and stay.
pub unsafe fn init_cpu(cpu: CpuId, stacks: InterruptStacks) {
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
    GATES.call_once(gates).load();
}

/// All gates. They take the code segment from the running CPU; it is the same on all.
fn gates() -> InterruptDescriptorTable {
    let mut table = InterruptDescriptorTable::new();
    let emergency = |vector| match vector {
        vectors::DOUBLE_FAULT => DOUBLE_FAULT,
        vectors::NMI => NMI,
        vectors::MACHINE_CHECK => MACHINE_CHECK,
        _ => FAULT,
    };
    for (vector, entry) in
        entries::exceptions_with_error_code().into_iter().chain(entries::exceptions_without_error_code())
    {
        set_gate(&mut table, vector, entry, Some(emergency(vector)));
    }
    for (vector, entry) in entries::interrupts() {
        set_gate(&mut table, vector, entry, None);
    }
    table
}

const _: () = assert!(size_of::<InterruptDescriptorTable>() == 256 * size_of::<Gate<HandlerFunc>>());

fn set_gate(table: &mut InterruptDescriptorTable, vector: u8, entry: Entry, stack: Option<u16>) {
    // SAFETY: the table is 256 gates, which differ only in a type that stands for the handler's signature.
    let gates = unsafe { &mut *ptr::from_mut(table).cast::<[Gate<HandlerFunc>; 256]>() };
    // SAFETY: `entry` is the entry for this vector, made for being called by the processor.
    let options = unsafe { gates[usize::from(vector)].set_handler_addr(VirtAddr::from_ptr(entry as *const ())) };
    if let Some(stack) = stack {
        // SAFETY: the list has this stack, and every entry on it leaves it before another may start at its end
        // (`dispatch` moves the end of the fault stack).
        unsafe { options.set_stack_index(stack) };
    }
}

/// Moves the end of this CPU's fault stack by `levels` (negative: a new exception gets the next level below).
///
/// # Safety
/// Interrupts are off. Whoever moves it down runs on that stack; the move is taken back before it returns, or when it is known
/// that it never will.
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
