//! The functions of higher cells that lower cells call: the table of contents of recovery.
//!
//! Each lower cell documents its hook: when it is called, in which context, and what the function may do there.

use hook::HookCap;

// SAFETY: this cell is one of the kernel's, and so are the cells with the functions that it names here. Each function says
// for which hook it is made, and keeps the rules of that hook.
const RIGHT: HookCap = unsafe { HookCap::new() };

/// Sets all hooks. Once, when all cells are loaded, before interrupts come and before there are tasks and other CPUs.
pub(crate) fn set_all() {
    // The processor reports a fault.
    interrupts::EXCEPTION.set(RIGHT, exceptions::on_exception);
    interrupts::NMI.set(RIGHT, nmi::handle);
    interrupts::END_OF_INTERRUPT.set(RIGHT, apic::end_of_interrupt);

    // A CPU or a task makes no progress.
    scheduler::WATCH.set(RIGHT, watchdog::on_tick);
    nmi::ALARM.set(RIGHT, watchdog::on_alarm);
    nmi::FAULT.set(RIGHT, watchdog::on_nmi);

    // A fault is made on purpose.
    scheduler::TICK.set(RIGHT, fault_injection::on_tick);
    unwinder::INJECTION.set(RIGHT, fault_injection::make);

    // A fault was caught: it is recorded, with its place.
    unwinder::CAUGHT.set(RIGHT, recovery::on_caught);
    fault_log::LOCATE.set(RIGHT, recovery::locate);
    lock_ledger::HELD_LOCK_DROPPED.set(RIGHT, recovery::forget_dropped_lock);

    // Nothing recovers from the fault.
    interrupts::LAST_RESORT.set(RIGHT, exceptions::last_resort);
    unwinder::LAST_RESORT.set(RIGHT, recovery::last_resort);

    // Memory is short.
    frames::SPARE_FRAMES.set(RIGHT, give_up_caches);

    // All CPUs or all tasks must follow a change.
    cpu_local::RESCHEDULE.set(RIGHT, scheduler::preempt);
    scheduler::STOP_MACHINE.set(RIGHT, stop_machine::answer);
    mapping::SHOOTDOWN.set(RIGHT, tlb_shootdown::forget);
    thread_local_image::GROWTH.set(RIGHT, task::grow_thread_locals);
}

/// The frames that caches keep: pages in quarantine, unused pages of the heap, stacks of ended tasks.
fn give_up_caches() -> usize {
    mapping::retry_quarantine() + heap_core::trim() + stacks::drain_pool()
}
