//! The gates: one interrupt descriptor table for all CPUs.
//!
//! Source: Intel SDM volume 3, 7.14.1 (64-bit mode IDT).

use core::mem::size_of;
use core::ptr;

use spin::Once;
use x86_64::VirtAddr;
use x86_64::structures::idt::{Entry as Gate, HandlerFunc, InterruptDescriptorTable};

use crate::entries::{self, Entry};
use crate::segments::{DOUBLE_FAULT, FAULT, MACHINE_CHECK, NMI};
use crate::vectors;

static GATES: Once<InterruptDescriptorTable> = Once::new();

/// Loads the table on the calling CPU, after its segments.
pub(crate) fn load() {
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
        // (a `Level` moves the end of the fault stack).
        unsafe { options.set_stack_index(stack) };
    }
}
