//! Interrupts and exceptions: descriptor tables and emergency stacks for each CPU, assembly entries that an unwinder
//! can walk through, and interrupts as owned values.
//!
//! Guarantees:
//! - Every vector that can occur has an entry, which saves all integer registers as a [`SavedRegisters`] and restores
//!   them from it.
//! - Safe code cannot choose where interrupted code goes on: a handler sees it as an [`Interrupted`], and only unsafe
//!   code changes the registers of that.
//! - An [`Interrupt`] has one owner. The boot gives it out by its [`InterruptCap`]; its handler stays as long as the
//!   [`Registration`], and only the owner of that has the interrupt routed to a CPU or sent as a message. No value stands for
//!   an exception, so none can be sent.
//! - Each instruction of the entries has frame information (as a signal frame), so a backtrace or an unwinding from
//!   inside a handler reaches the interrupted code with its exact registers.
//! - Exceptions run on the first emergency stack of their CPU (double fault, NMI and machine check on one each), so they
//!   work with any task's stack, and one may nest in another's handling. A handler that faults itself is left behind, and
//!   recovery gives its part of the stack back ([`leave_fault_stack`]). Device interrupts and messages run on the stack of
//!   the interrupted code.
//! - A handler that is ended by a panic still has its interrupt acknowledged and its depth counted down.
//! - On the way out of the outermost device interrupt the task is preempted if that is pending and allowed.
//!
//! How it can fail: an exception before a hook is set, and a third nested exception, stop the CPU with a message
//! (or go to [`LAST_RESORT`]). A claim tells vectors that cannot be had from those that are taken.
#![cfg_attr(not(test), no_std)]

mod dispatch;
mod entries;
mod fault_levels;
mod gates;
mod hooks;
mod interrupt;
mod interrupted;
mod segments;
pub mod vectors;

use cpu_local::CpuId;

pub use dispatch::{handled, leave_handlers};
pub use fault_levels::{fault_levels, leave_fault_stack};
pub use hooks::{END_OF_INTERRUPT, EXCEPTION, LAST_RESORT, NMI};
pub use interrupt::{ClaimError, Handler, Interrupt, InterruptCap, Registration};
pub use interrupted::Interrupted;
pub use registers::SavedRegisters;
pub use segments::{FAULT_STACK_LEVEL, FAULT_STACK_SIZE, InterruptStacks, OTHER_STACK_SIZE};

/// Sets up the boot CPU, with emergency stacks that need no memory manager.
///
/// # Safety
/// Runs once, on the boot CPU, after `cpu_local::init_boot_cpu` and with interrupts off.
pub unsafe fn init_boot_cpu() {
    // SAFETY: the caller's promise; the stacks are statics that nothing else uses.
    unsafe { init_cpu(CpuId::BOOT, segments::boot_stacks()) };
}

/// Sets up the calling CPU.
///
/// # Safety
/// Runs once per CPU, on that CPU, after its `cpu_local::init_cpu` and with interrupts off. The stacks are mapped,
/// writable, of the stated sizes, used for nothing else, and stay.
pub unsafe fn init_cpu(cpu: CpuId, stacks: InterruptStacks) {
    // SAFETY: the caller's promise.
    unsafe { segments::load(cpu, stacks) };
    gates::load();
}
