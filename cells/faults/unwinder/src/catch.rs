//! Where unwinding stops.

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Range;

use fault_context::{CatchRecord, Cause, FaultContext, Unwinding};

#[cfg(target_os = "none")]
use lock_ledger::Snapshot;
use spin::Once;

use crate::machine;
#[cfg(not(target_os = "none"))]
use crate::raise;
use crate::raise::call_caught_hook;

/// What was caught, and what it cost. Where the frames stood when it began is in the context's trace.
#[derive(Debug, Clone, Copy)]
pub struct Caught {
    /// Why the unwinding began.
    pub cause: Cause,
    /// Panics and faults that followed in landing pads.
    pub nested: u32,
    /// Frames that were passed without their landing pads.
    pub lost_frames: u32,
    /// Bytes of those frames.
    pub lost_bytes: u64,
    /// Locks that were held by lost frames, released and poisoned now.
    pub released_locks: u32,
    /// When it began, in ticks of the time stamp counter.
    pub began: u64,
    /// Time from the fault to here, in ticks of the time stamp counter.
    pub ticks: u64,
    /// It was caught at the task's outermost root, so the task ends.
    pub at_root: bool,
}

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        if self.lost_frames != 0 {
            write!(f, "; {} frames of {} bytes lost", self.lost_frames, self.lost_bytes)?;
        }
        if self.released_locks != 0 {
            write!(f, "; {} locks released", self.released_locks)?;
        }
        Ok(())
    }
}

/// How much is to be done about what was caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// All that there is to do.
    Full,
    /// Only what must be: doing more has led to another fault.
    Least,
}

/// Runs `body` and catches a panic or fault in it, but not a kill. If frames are lost, releases and poisons what was
/// locked since and is still held; so `body` must not leave guards where its caller finds them after a fault. Where
/// there is no context (before tasks), nothing is caught.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Caught> {
    match fault_context::current() {
        Some(context) => catch_with(context, Place::INNER, body),
        None => Ok(body()),
    }
}

/// Runs `body` as the root of the current context: catches all there is, kills too, and releases and poisons
/// locks whether or not frames are lost: nobody is left for whom they could be held. The caller holds no lock.
/// Inside another root this is what keeps a task going that must not end.
pub fn catch_root<T>(body: impl FnOnce() -> T) -> Result<T, Caught> {
    match fault_context::current() {
        Some(context) => catch_with(context, Place::ROOT, body),
        None => Ok(body()),
    }
}

/// [`raise::begin_in`] for tests, where no CPU block exists.
#[cfg(not(target_os = "none"))]
pub fn begin_in(context: &FaultContext, cause: Cause) {
    raise::begin_in(context, cause);
}

/// [`catch`] in a context that the caller names: for tests.
#[cfg(not(target_os = "none"))]
pub fn catch_in<T>(context: &FaultContext, body: impl FnOnce() -> T) -> Result<T, Caught> {
    catch_with(context, Place::INNER, body)
}

/// [`catch_root`] in a context that the caller names.
#[cfg(not(target_os = "none"))]
pub fn catch_root_in<T>(context: &FaultContext, body: impl FnOnce() -> T) -> Result<T, Caught> {
    catch_with(context, Place::ROOT, body)
}

/// The closure and the place for its value, seen by [`run`].
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

/// What kind of place it is that catches.
#[derive(Clone, Copy)]
struct Place {
    /// It stops everything, and no lock is held further out.
    is_root: bool,
    /// What is caught is told to the hook.
    tells: bool,
}

impl Place {
    const INNER: Self = Self { is_root: false, tells: true };
    const ROOT: Self = Self { is_root: true, tells: true };
}

fn catch_with<F: FnOnce() -> T, T>(context: &FaultContext, place: Place, body: F) -> Result<T, Caught> {
    let mut call = Call { body: ManuallyDrop::new(body), value: MaybeUninit::uninit() };
    // SAFETY: `run` is called once, with the call that it expects.
    unsafe { catch_erased(context, place, run::<F, T>, (&raw mut call).cast())? };
    // SAFETY: `run` returned, so it wrote the value.
    Ok(unsafe { call.value.assume_init() })
}

/// The one place that catches, whatever the closure: one function in one cell.
///
/// # Safety
/// `body` may be called with `data`.
#[inline(never)]
unsafe fn catch_erased(context: &FaultContext, place: Place, body: machine::Body, data: *mut u8) -> Result<(), Caught> {
    let outer = context.unwinding.get();
    let cpu = CpuState::take();
    let record = UnsafeCell::new(CatchRecord {
        rsp: 0,
        rip: 0,
        previous: context.catch_top.get(),
        is_root: place.is_root,
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
    Err(settle(context, place, &ended, cpu, given_up))
}

/// Puts right what the ended frames left, and says what that was.
#[inline(never)]
fn settle(context: &FaultContext, place: Place, ended: &Unwinding, cpu: CpuState, given_up: Range<u64>) -> Caught {
    let released_locks = cpu.restore(place.is_root || ended.lost_frames != 0, given_up);
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
        at_root: place.is_root && context.catch_top.get().is_null(),
    };
    if place.tells {
        tell(context, place, &caught);
    }
    caught
}

/// Calls the hook. If that faults itself, what was caught counts all the same: the hook is told again, to do no more than it
/// must, and then of its own fault.
fn tell(context: &FaultContext, place: Place, caught: &Caught) {
    let told = |caught: &Caught, detail: Detail| {
        catch_with(context, Place { tells: false, ..place }, || call_caught_hook(context, caught, detail))
    };
    context.settling.set(true);
    let trace = context.trace.get();
    if let Err(of_hook) = told(caught, Detail::Full) {
        let trace_of_hook = context.trace.replace(trace);
        let _untold = told(caught, Detail::Least);
        context.trace.set(trace_of_hook);
        let _untold = told(&of_hook, Detail::Least);
    }
    context.settling.set(false);
}

/// What the guards said when a catch began: lost guards are not dropped, so it is put back by hand.
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

    /// Returns how many locks were released. Unwound frames gave theirs back; lost ones did not, and a task that ends may have
    /// forgotten a guard.
    fn restore(self, may_hold_locks: bool, given_up: Range<u64>) -> u32 {
        set_interrupts(false);
        let released = if may_hold_locks { release_locks(&self.locks, given_up) } else { 0 };
        // SAFETY: the guards made since the catch began are dropped or lost, those made before it still live.
        unsafe {
            cpu_local::set_interrupt_depth(self.interrupt_depth);
            cpu_local::set_preempt_count(self.preempt_count);
            cpu_local::set_interrupt_guards(self.interrupt_guards);
            // What is caught is caught on the context's own stack: who stood on an emergency stack is gone.
            interrupts::leave_fault_stack();
        }
        set_interrupts(self.interrupts);
        cpu_local::preempt_if_pending();
        released
    }
}

/// Releases and poisons the locks that were taken since and are still held: those of lost frames, and those whose guards
/// the body put somewhere else than into its frames. Locks in the frames themselves are gone with them.
#[cfg(target_os = "none")]
fn release_locks(before: &Snapshot, given_up: Range<u64>) -> u32 {
    let ledger = cpu_local::ledger();
    let forgotten = ledger.forget_within(given_up);
    // SAFETY: the ledger is this context's, with interrupts off. The frames that took the locks are all gone, and what a
    // lost frame was about to take was struck when the fault began. A lock that was dropped since, by a frame further out
    // or by another task, was struck from the ledger then.
    forgotten + unsafe { ledger.release_since(before).count }
}

#[cfg(target_os = "none")]
fn set_interrupts(enabled: bool) {
    // SAFETY: puts back what the caller of `catch` ran with.
    unsafe {
        if enabled {
            core::arch::asm!("sti", options(nomem, nostack));
        } else {
            core::arch::asm!("cli", options(nomem, nostack));
        }
    }
}

/// On the host there is no CPU state to keep.
#[cfg(not(target_os = "none"))]
#[derive(Clone, Copy)]
struct CpuState;

#[cfg(not(target_os = "none"))]
impl CpuState {
    fn take() -> Self {
        Self
    }

    fn restore(self, _may_hold_locks: bool, _given_up: Range<u64>) -> u32 {
        0
    }
}

static LAST_RESORT: Once<fn() -> !> = Once::new();

/// Sets what is done when an unwinding has nowhere to go: log and reboot. The first hook stays.
pub fn set_last_resort(hook: fn() -> !) {
    LAST_RESORT.call_once(|| hook);
}

/// Ends it all: the last rung of the ladder.
#[cold]
pub fn nothing_catches() -> ! {
    if let Some(hook) = LAST_RESORT.get() {
        hook();
    }
    halt()
}

/// Stops this CPU for good.
#[cfg(target_os = "none")]
pub fn halt() -> ! {
    loop {
        // SAFETY: a CPU that has nothing left to do may sleep for ever.
        unsafe { core::arch::asm!("cli", "hlt", options(nomem, nostack)) };
    }
}

/// Stops the process.
#[cfg(not(target_os = "none"))]
pub fn halt() -> ! {
    panic!("nothing catches")
}
