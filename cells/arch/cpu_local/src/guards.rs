//! Guards that keep the running context where it is: on its CPU, or undisturbed by interrupts.

use core::arch::asm;
use core::marker::PhantomData;
use core::mem::offset_of;

use spin::Once;

use crate::{Block, interrupt_depth, interrupt_guards, preempt_count, reschedule_pending, set_interrupt_guards};

/// What gives up the CPU: registered by the scheduler, called when a request is pending and preemption is allowed
/// again.
static RESCHEDULE: Once<fn()> = Once::new();

/// Registers what gives up the CPU. It is called on the running task's stack with preemption enabled and returns
/// when the task runs again; interrupts are enabled when a guard calls it, and off when the exit of an interrupt does. The first
/// hook stays.
pub fn set_reschedule_hook(hook: fn()) {
    RESCHEDULE.call_once(|| hook);
}

/// Gives up the CPU if that was asked for and nothing forbids it. The exit path of interrupts calls it; anybody may.
pub fn preempt_if_pending() {
    if !reschedule_pending() || preempt_count() != 0 || interrupt_depth() != 0 {
        return;
    }
    if let Some(reschedule) = RESCHEDULE.get() {
        reschedule();
    }
}

/// Makes a guard stay on the CPU it was made on.
type NotSend = PhantomData<*const ()>;

/// While it lives, the running task keeps its CPU. Interrupts still come.
#[must_use = "preemption is enabled again when the guard is dropped"]
#[derive(Debug)]
pub struct PreemptGuard {
    not_send: NotSend,
}

impl PreemptGuard {
    /// Forbids preemption.
    #[inline]
    pub fn new() -> Self {
        // SAFETY: one instruction on this CPU's own count: a preemption comes before or after it.
        unsafe {
            asm!("inc dword ptr gs:[{}]", const offset_of!(Block, preempt_count), options(nostack));
        }
        Self { not_send: PhantomData }
    }
}

impl Default for PreemptGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for PreemptGuard {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: takes back what `new` added; the task has not left the CPU in between.
        unsafe {
            asm!("dec dword ptr gs:[{}]", const offset_of!(Block, preempt_count), options(nostack));
        }
        // With interrupts off, whoever turns them on looks again.
        if reschedule_pending() && interrupts_enabled() {
            preempt_if_pending();
        }
    }
}

/// The interrupt-enable bit of the flags.
const INTERRUPT_FLAG: u32 = 1 << 9;
/// What a guard adds to the count: a bit that is always set in the flags, so that both come with one instruction.
const ONE: u32 = 1 << 1;
/// One guard, made while interrupts came.
const OUTERMOST: u32 = INTERRUPT_FLAG + ONE;

/// While it lives, no maskable interrupt comes to this CPU, hence no preemption either. Guards nest, and may be dropped in
/// any order: when the last one goes, it is again as it was before the first one came.
#[must_use = "interrupts are restored when the guard is dropped"]
#[derive(Debug)]
pub struct InterruptGuard {
    not_send: NotSend,
}

impl InterruptGuard {
    /// Turns interrupts off.
    #[inline]
    pub fn new() -> Self {
        // SAFETY: kernel code may turn interrupts off; as this is no `nomem`, accesses stay behind it. With them off,
        // the word is this CPU's own: one more guard, and the flag as the first guard found it. What comes all the same
        // (an NMI) leaves the word as it was.
        unsafe {
            asm!(
                "pushfq",
                "pop {flags}",
                "cli",
                "and {flags:e}, {outermost}",
                "add dword ptr gs:[{guards}], {flags:e}",
                flags = out(reg) _,
                outermost = const OUTERMOST,
                guards = const offset_of!(Block, interrupt_guards),
            );
        }
        Self { not_send: PhantomData }
    }

    /// Drops the guard and halts until an interrupt comes; one that was pending ends the halt. Interrupts come afterwards.
    ///
    /// # Panics
    /// If it is not the only guard, or if interrupts were off when it was made.
    pub fn halt(self) {
        assert!(self.is_outermost(), "a CPU halts under a guard against interrupts");
        core::mem::forget(self);
        // SAFETY: there is no other guard, so interrupts may come; `sti` lets none in before the halt.
        unsafe {
            set_interrupt_guards(0);
            asm!("sti", "hlt", options(nostack));
        }
    }

    /// Whether it is the only guard, and interrupts came before it.
    #[inline]
    pub fn is_outermost(&self) -> bool {
        interrupt_guards() == OUTERMOST
    }
}

impl Default for InterruptGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for InterruptGuard {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: if this is the last guard, and interrupts came before the first, they come again; accesses stay before
        // it. The word is cleared first, so that an NMI in between finds no guard to restore. Else there is one guard
        // less on this CPU, which `new` counted.
        unsafe {
            asm!(
                "cmp dword ptr gs:[{guards}], {outermost}",
                "jne {inner}",
                "mov dword ptr gs:[{guards}], 0",
                "sti",
                "cmp dword ptr gs:[{pending}], 0",
                "jne {pending_label}",
                guards = const offset_of!(Block, interrupt_guards),
                pending = const offset_of!(Block, reschedule_pending),
                outermost = const OUTERMOST,
                inner = label {
                    // SAFETY: as above.
                    unsafe {
                        asm!("sub dword ptr gs:[{}], {}", const offset_of!(Block, interrupt_guards), const ONE,
                            options(nostack));
                    }
                },
                pending_label = label { preempt_if_pending() },
                options(nostack),
            );
        }
    }
}

/// Whether maskable interrupts come to this CPU now.
#[inline]
pub fn interrupts_enabled() -> bool {
    let flags: u64;
    // SAFETY: reads the flags through the stack; nothing else changes.
    unsafe { asm!("pushfq", "pop {}", out(reg) flags, options(preserves_flags)) };
    flags & u64::from(INTERRUPT_FLAG) != 0
}
