//! Guards that keep the running context where it is: on its CPU, or undisturbed by interrupts.

use core::arch::asm;
use core::marker::PhantomData;
use core::mem::{offset_of, transmute};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::{Block, interrupt_depth, preempt_count, reschedule_pending};

/// What gives up the CPU: registered by the scheduler, called when a request is pending and preemption is allowed
/// again. Null until then.
static RESCHEDULE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Registers what gives up the CPU. It is called on the running task's stack with preemption enabled and returns
/// when the task runs again; interrupts are enabled when a guard calls it, and off when the exit of an interrupt does.
pub fn set_reschedule_hook(hook: fn()) {
    RESCHEDULE.store(hook as *mut (), Ordering::Release);
}

/// Gives up the CPU if that was asked for and nothing forbids it. The exit path of interrupts calls it; anybody may.
pub fn preempt_if_pending() {
    if !reschedule_pending() || preempt_count() != 0 || interrupt_depth() != 0 {
        return;
    }
    let hook = RESCHEDULE.load(Ordering::Acquire);
    if !hook.is_null() {
        // SAFETY: only `set_reschedule_hook` stores here, and it stores a `fn()`.
        unsafe { transmute::<*mut (), fn()>(hook)() };
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

/// While it lives, no maskable interrupt comes to this CPU, hence no preemption either. Guards nest: the last one
/// dropped restores what the first one found.
#[must_use = "interrupts are restored when the guard is dropped"]
#[derive(Debug)]
pub struct InterruptGuard {
    was_enabled: bool,
    not_send: NotSend,
}

impl InterruptGuard {
    /// Turns interrupts off.
    #[inline]
    pub fn new() -> Self {
        let was_enabled = interrupts_enabled();
        // SAFETY: kernel code may turn interrupts off; as this is no `nomem`, accesses stay behind it.
        unsafe { asm!("cli", options(nostack)) };
        Self { was_enabled, not_send: PhantomData }
    }

    /// Whether dropping this guard turns interrupts on.
    #[inline]
    pub fn was_enabled(&self) -> bool {
        self.was_enabled
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
        if self.was_enabled {
            // SAFETY: they were on when this guard came; accesses stay before it.
            unsafe { asm!("sti", options(nostack)) };
            if reschedule_pending() {
                preempt_if_pending();
            }
        }
    }
}

/// Whether maskable interrupts come to this CPU now.
#[inline]
pub fn interrupts_enabled() -> bool {
    let flags: u64;
    // SAFETY: reads the flags through the stack; nothing else changes.
    unsafe { asm!("pushfq", "pop {}", out(reg) flags, options(preserves_flags)) };
    flags & 1 << 9 != 0
}
