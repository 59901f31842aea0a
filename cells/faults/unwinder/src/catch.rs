//! The place where unwinding stops.

use core::cell::UnsafeCell;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Range;

use fault_context::{CatchRecord, FaultContext, Unwinding};
#[cfg(target_os = "none")]
use lock_ledger::Snapshot;

use crate::caught::{CAUGHT, Caught, Detail};
use crate::machine;

/// Runs `body` and catches a panic or fault in it, but not a kill. Where there is no context (before tasks), nothing is
/// caught.
///
/// # Errors
/// The fault that was caught. If frames were lost, the locks that were taken in `body` and are still held are released and
/// poisoned.
///
/// # Safety
/// `body` leaves no guard of a lock where code that runs later can reach it: not in a variable of its caller, in a thread
/// local, or in memory that it leaks. The guard would stand for a lock that is released.
pub unsafe fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Caught> {
    match fault_context::current() {
        // SAFETY: the caller's promise.
        Some(context) => unsafe { catch_with(context, Role::INNER, body) },
        None => Ok(body()),
    }
}

/// Runs `body` as the root of the current context: catches every fault, and kills too. Inside another root this is the way
/// to keep a task going that must not end.
///
/// # Errors
/// The fault that was caught. The locks that were taken in `body` and are still held are released and poisoned, whether or
/// not frames were lost.
///
/// # Safety
/// As for [`catch`].
pub unsafe fn catch_root<T>(body: impl FnOnce() -> T) -> Result<T, Caught> {
    match fault_context::current() {
        // SAFETY: the caller's promise.
        Some(context) => unsafe { catch_with(context, Role::ROOT, body) },
        None => Ok(body()),
    }
}

/// [`catch`] in a context that the caller names: for tests.
///
/// # Errors
/// As for [`catch`].
#[cfg(not(target_os = "none"))]
pub fn catch_in<T>(context: &FaultContext, body: impl FnOnce() -> T) -> Result<T, Caught> {
    // SAFETY: on the host no lock is released.
    unsafe { catch_with(context, Role::INNER, body) }
}

/// [`catch_root`] in a context that the caller names: for tests.
///
/// # Errors
/// As for [`catch_root`].
#[cfg(not(target_os = "none"))]
pub fn catch_root_in<T>(context: &FaultContext, body: impl FnOnce() -> T) -> Result<T, Caught> {
    // SAFETY: as above.
    unsafe { catch_with(context, Role::ROOT, body) }
}

/// The closure and the room for its value, seen by [`run`].
struct Call<F, T> {
    body: ManuallyDrop<F>,
    value: MaybeUninit<T>,
}

unsafe extern "C-unwind" fn run<F: FnOnce() -> T, T>(call: *mut u8) {
    // SAFETY: `catch_with` passes its own `Call` and has it run once.
    unsafe {
        let call = call.cast::<Call<F, T>>();
        let body = ManuallyDrop::take(&mut (*call).body);
        (*call).value.write(body());
    }
}

/// The role of a place that catches.
#[derive(Clone, Copy)]
struct Role {
    /// It stops everything, and no lock is held further out.
    is_root: bool,
    /// The hook is told of a caught fault.
    tells: bool,
}

impl Role {
    const INNER: Self = Self { is_root: false, tells: true };
    const ROOT: Self = Self { is_root: true, tells: true };
}

/// # Safety
/// As for [`catch`].
unsafe fn catch_with<F: FnOnce() -> T, T>(context: &FaultContext, role: Role, body: F) -> Result<T, Caught> {
    let mut call = Call { body: ManuallyDrop::new(body), value: MaybeUninit::uninit() };
    // SAFETY: `run` is called once, with the call that it expects; guards are the caller's promise.
    unsafe { catch_erased(context, role, run::<F, T>, (&raw mut call).cast())? };
    // SAFETY: `run` returned, so it wrote the value.
    Ok(unsafe { call.value.assume_init() })
}

/// The one place that catches, for all closures: one function in one cell.
///
/// # Safety
/// `body` may be called with `data`, and keeps the promise of [`catch`].
#[inline(never)]
unsafe fn catch_erased(context: &FaultContext, role: Role, body: machine::Body, data: *mut u8) -> Result<(), Caught> {
    let outer = context.unwinding.get();
    let cpu = CpuState::take();
    let record = UnsafeCell::new(CatchRecord {
        rsp: 0,
        rip: 0,
        previous: context.catch_top.get(),
        is_root: role.is_root,
        outer,
    });
    context.unwinding.set(Unwinding::IDLE);
    // SAFETY: the caller vouches for `body`; the record is on this frame, which outlives the call, and names the
    // present top.
    let stopped = unsafe { machine::catching_frame(body, data, record.get(), context.catch_top.as_ptr()) };
    let ended = context.unwinding.replace(outer);
    if stopped == 0 {
        return Ok(());
    }
    // All frames below the record were the body's.
    let given_up = context.stack.get().low..record.get().addr() as u64;
    // SAFETY: the body's frames are gone, and it has left no guard elsewhere.
    Err(unsafe { conclude(context, role, &ended, cpu, given_up) })
}

/// Restores the CPU's state after the frames have ended, and reports on the unwinding.
///
/// # Safety
/// No code uses a guard that was made since `cpu` was taken.
#[inline(never)]
unsafe fn conclude(
    context: &FaultContext,
    role: Role,
    ended: &Unwinding,
    cpu: CpuState,
    given_up: Range<u64>,
) -> Caught {
    // SAFETY: the caller's promise.
    let released_locks = unsafe { cpu.restore(role.is_root || ended.lost_frames != 0, given_up) };
    context.hide_reserve();
    // SAFETY: every x86-64 processor has the instruction.
    let now = unsafe { core::arch::x86_64::_rdtsc() };
    let caught = Caught {
        cause: ended.cause,
        nested: ended.nested,
        lost_frames: ended.lost_frames,
        lost_bytes: ended.lost_bytes,
        released_locks,
        began: ended.began,
        ticks: now.saturating_sub(ended.began),
        at_root: role.is_root && context.catch_top.get().is_null(),
    };
    if role.tells {
        tell(context, role, &caught);
    }
    caught
}

/// Calls the hook. A fault of the hook itself does not replace the fault that was caught: the hook is told again, to do only
/// the necessary, and then is told of its own fault.
fn tell(context: &FaultContext, role: Role, caught: &Caught) {
    let told = |caught: &Caught, detail: Detail| {
        // SAFETY: the hook is of the kernel, and records the fault in memory of its own; it leaves no guard behind.
        unsafe { catch_with(context, Role { tells: false, ..role }, || CAUGHT.get()(context, caught, detail)) }
    };
    context.noting.set(true);
    let trace = context.trace.get();
    if let Err(of_hook) = told(caught, Detail::Full) {
        let trace_of_hook = context.trace.replace(trace);
        let _untold = told(caught, Detail::Least);
        context.trace.set(trace_of_hook);
        let _untold = told(&of_hook, Detail::Least);
    }
    context.noting.set(false);
}

/// The state of the CPU that guards keep, when a catch began: their counts, and the held locks. The guards of a lost frame are
/// not dropped, so the state is restored by hand.
#[cfg(target_os = "none")]
struct CpuState {
    preempt_count: u32,
    interrupt_guards: u32,
    interrupt_depth: u32,
    interrupts: bool,
    locks: Snapshot,
}

#[cfg(target_os = "none")]
impl CpuState {
    fn take() -> Self {
        Self {
            preempt_count: cpu_local::preempt_count(),
            interrupt_guards: cpu_local::interrupt_guards(),
            interrupt_depth: cpu_local::interrupt_depth(),
            interrupts: cpu_local::interrupts_enabled(),
            locks: cpu_local::ledger().snapshot(),
        }
    }

    /// Restores the state after the frames on the stack at `given_up` are gone. Says how many locks were released: with
    /// `may_hold_locks`, all that were taken since and are still held.
    ///
    /// # Safety
    /// No code uses a guard that was made since the state was taken. With `may_hold_locks` this includes the guards of
    /// locks.
    unsafe fn restore(self, may_hold_locks: bool, given_up: Range<u64>) -> u32 {
        set_interrupts(false);
        // SAFETY: interrupts are off; the rest is the caller's promise.
        let released = if may_hold_locks { unsafe { release_locks(&self.locks, given_up) } } else { 0 };
        // SAFETY: the guards made since the state was taken are dropped or lost, those made before it still live. A fault
        // is caught on the context's own stack, so no handler stands on an emergency stack any more.
        unsafe {
            interrupts::leave_handlers(self.interrupt_depth);
            cpu_local::set_preempt_count(self.preempt_count);
            cpu_local::set_interrupt_guards(self.interrupt_guards);
            interrupts::leave_fault_stack();
        }
        set_interrupts(self.interrupts);
        cpu_local::preempt_if_pending();
        released
    }
}

/// Releases and poisons the locks that were taken since `before` and are still held: those of lost frames, and those with
/// forgotten guards. Locks that lie in the frames themselves are gone with them.
///
/// # Safety
/// Interrupts are off, and no code uses a guard of these locks.
#[cfg(target_os = "none")]
unsafe fn release_locks(before: &Snapshot, given_up: Range<u64>) -> u32 {
    let ledger = cpu_local::ledger();
    let forgotten = ledger.forget_within(given_up);
    // SAFETY: the ledger is this context's, with interrupts off. The frames that took the locks are gone, and the intents of
    // a lost frame were struck when the fault began. A lock that was dropped since, by a frame further out or by another
    // task, was struck from the ledger then. The caller says that no code believes it holds one of the locks.
    forgotten + unsafe { ledger.release_since(before).count }
}

/// Both instructions are barriers for the compiler: accesses stay on their side.
#[cfg(target_os = "none")]
fn set_interrupts(enabled: bool) {
    // SAFETY: restores the state in which the caller of `catch` ran.
    unsafe {
        if enabled {
            core::arch::asm!("sti", options(nostack));
        } else {
            core::arch::asm!("cli", options(nostack));
        }
    }
}

/// On the host there is no CPU state to keep.
#[cfg(not(target_os = "none"))]
struct CpuState;

#[cfg(not(target_os = "none"))]
impl CpuState {
    fn take() -> Self {
        Self
    }

    unsafe fn restore(self, _may_hold_locks: bool, _given_up: Range<u64>) -> u32 {
        0
    }
}
