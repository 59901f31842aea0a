//! The hooks for exceptions, and for the part of an interrupt that belongs to no driver.

use hook::Hook;
use registers::SavedRegisters;

use crate::dispatch::{give_up, halt};
use crate::interrupt::Handler;

/// Handles all exceptions but NMI. It runs on an emergency stack and must return soon; the CPU goes on from the registers
/// that it leaves. An exception before the hook is set ends the boot.
pub static EXCEPTION: Hook<Handler> =
    Hook::new(|interrupted| give_up(interrupted.registers(), "exceptions are not handled yet"));

/// Handles NMIs. An NMI may come between any two instructions, so the function takes no lock. The unset hook ignores it.
pub static NMI: Hook<Handler> = Hook::new(|_interrupted| {});

/// Acknowledges an interrupt: for the local APIC's driver. No interrupt comes before the hook is set.
///
/// The function is unsafe because it may only be called once for each interrupt, after its handler.
pub static END_OF_INTERRUPT: Hook<unsafe fn()> = Hook::new(acknowledge_nothing);

/// Ends the system when exceptions nest too deeply: it logs and reboots. The unset hook halts the CPU.
pub static LAST_RESORT: Hook<fn(&SavedRegisters) -> !> = Hook::new(|_registers| halt());

unsafe fn acknowledge_nothing() {}
