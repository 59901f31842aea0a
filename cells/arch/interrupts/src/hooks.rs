//! The functions of other cells that handle what no driver owns. The boot sets each of them once, and the first stays.

use registers::SavedRegisters;
use spin::Once;

use crate::interrupt::Handler;

pub(crate) static EXCEPTION: Once<Handler> = Once::new();
pub(crate) static NMI: Once<Handler> = Once::new();
pub(crate) static END_OF_INTERRUPT: Once<fn()> = Once::new();
pub(crate) static LAST_RESORT: Once<fn(&SavedRegisters) -> !> = Once::new();

/// Sets the function that handles all exceptions but NMI. It runs on an emergency stack and must return soon; the CPU goes
/// on from the registers that it leaves.
pub fn set_exception_hook(hook: Handler) {
    EXCEPTION.call_once(|| hook);
}

/// Sets the function that handles NMIs. An NMI may come between any two instructions, so the function takes no lock.
pub fn set_nmi_hook(hook: Handler) {
    NMI.call_once(|| hook);
}

/// Sets the function that acknowledges an interrupt: for the local APIC's driver.
pub fn set_end_of_interrupt_hook(hook: fn()) {
    END_OF_INTERRUPT.call_once(|| hook);
}

/// Sets the function that ends the system when exceptions nest too deeply or have no hook: it should log and reboot.
pub fn set_last_resort_hook(hook: fn(&SavedRegisters) -> !) {
    LAST_RESORT.call_once(|| hook);
}
