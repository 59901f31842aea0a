//! Interrupts and exceptions: descriptor tables and emergency stacks for each CPU, assembly entries that an unwinder
//! can walk through, and the registration of handlers.
//!
//! Guarantees:
//! - Every vector that can occur has an entry, which saves all integer registers as a [`SavedRegisters`] and restores
//!   them from it: a handler that changes it changes where and how the interrupted code goes on.
//! - Each instruction of the entries has frame information (as a signal frame), so a backtrace or an unwinding from
//!   inside a handler reaches the interrupted code with its exact registers.
//! - Exceptions run on the first emergency stack of their CPU (double fault, NMI and machine check on one each), so
//!   they work whatever the task's stack looks like, and one may nest in another's handling. A handler that faults itself is left
//!   behind, and recovery gives its part of the stack back ([`leave_fault_stack`]). Device interrupts and IPIs run on the
//!   stack of whatever they interrupt.
//! - A handler that is ended by a panic still has its interrupt acknowledged and its depth counted down.
//! - A vector's handler is taken away by whoever registered it, and by nobody else.
//! - On the way out of the outermost device interrupt the task is preempted if that is pending and allowed.
//!
//! How it can fail: an exception before a hook is set, and a third nested exception, stop the CPU with a message
//! (or go to the last-resort hook). Registering tells apart vectors that cannot be had and those taken.
#![cfg_attr(not(test), no_std)]

mod dispatch;
mod entries;
mod tables;
pub mod vectors;

pub use dispatch::{
    Handler, RegisterError, Registration, fault_levels, handled, leave_fault_stack, register,
    set_end_of_interrupt_hook, set_exception_hook, set_last_resort_hook, set_nmi_hook,
};
pub use registers::SavedRegisters;
pub use tables::{FAULT_STACK_LEVEL, FAULT_STACK_SIZE, InterruptStacks, OTHER_STACK_SIZE, init_boot_cpu, init_cpu};
