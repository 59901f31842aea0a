//! The end of the system, for faults that nothing catches.

use hook::Hook;

/// Ends the system when an unwinding has nowhere to go: it logs and reboots. The unset hook halts the CPU.
pub static LAST_RESORT: Hook<fn() -> !> = Hook::new(halt);

/// Ends the system: the last rung of the recovery ladder.
#[cold]
pub fn nothing_catches() -> ! {
    LAST_RESORT.get()()
}

/// Stops this CPU for good.
#[cfg(target_os = "none")]
fn halt() -> ! {
    loop {
        // SAFETY: the CPU has no work left, so no code waits for an interrupt on it.
        unsafe { core::arch::asm!("cli", "hlt", options(nostack)) };
    }
}

/// Stops the process.
#[cfg(not(target_os = "none"))]
fn halt() -> ! {
    panic!("nothing catches")
}
