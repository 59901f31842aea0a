//! Guards that keep the running context where it is: on its CPU, or undisturbed by interrupts.

use core::arch::asm;
use core::marker::PhantomData;
use core::mem::offset_of;

use hook::Hook;

use crate::{Block, interrupt_depth, interrupt_guards, preempt_count, reschedule_pending, set_interrupt_guards};

/// Gives up the CPU: is called when a request is pending and preemption is allowed again, and returns when the task runs
/// again. It runs on the task's stack. Interrupts are on when a guard calls it, and off when the exit of an interrupt does.
/// Before there are tasks there is no other task to run, and the unset hook does nothing.
///
/// The function is unsafe because it may only be called where preemption is allowed.
pub static RESCHEDULE: Hook<unsafe fn()> = Hook::new(keep_the_cpu);

unsafe fn keep_the_cpu() {}

/// Gives up the CPU if a request is pending and nothing forbids it. The exit of each interrupt calls it; other code may.
pub fn preempt_if_pending() {
    if !reschedule_pending() || preempt_count() != 0 || interrupt_depth() != 0 {
        return;
    }
    // SAFETY: no guard forbids preemption and no interrupt is being handled.
    unsafe { RESCHEDULE.get()() };
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
        // With interrupts off, the guard that turns them on looks again.
        if reschedule_pending() && interrupts_enabled() {
            preempt_if_pending();
        }
    }
}

/// Reads the flags through the stack. An interrupt can come between the two instructions, and a walker then finds the
/// return address eight bytes further up: the directives say so. They are right where the frame is addressed by the stack
/// pointer, as in all functions but those few that align their frame to more than 16 bytes.
macro_rules! read_flags {
    ($register:literal) => {
        concat!("pushfq\n.cfi_adjust_cfa_offset 8\npop ", $register, "\n.cfi_adjust_cfa_offset -8")
    };
}

/// The interrupt-enable bit of the flags.
const INTERRUPT_FLAG: u32 = 1 << 9;
/// The number that a guard adds to the count: a bit that is always set in the flags, so that both come with one instruction.
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
        // the word is this CPU's own: one more guard, and the flag as the first guard found it. An NMI, which comes all the
        // same, leaves the word as it was.
        unsafe {
            asm!(
                read_flags!("{flags}"),
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
    unsafe { asm!(read_flags!("{}"), out(reg) flags, options(preserves_flags)) };
    flags & u64::from(INTERRUPT_FLAG) != 0
}
