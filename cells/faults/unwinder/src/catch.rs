//! Where unwinding stops.

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use fault_context::{CatchRecord, Cause, FaultContext, StackBounds, Unwinding};

use crate::machine;
use crate::raise::call_landed_hook;

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

/// Runs `body` and catches a panic or fault in it, but not a kill. Where there is no context (before tasks),
/// nothing is caught.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Caught> {
    match fault_context::current() {
        Some(context) => catch_with(context, Place::INNER, body),
        None => Ok(body()),
    }
}

/// Runs `body` as the root of the current context: catches all there is, releases and poisons the locks of lost
/// frames, and takes back the stack reserve. The caller holds no lock. Inside another root this is what keeps a task going
/// that must not end.
pub fn catch_root<T>(body: impl FnOnce() -> T) -> Result<T, Caught> {
    match fault_context::current() {
        Some(context) => catch_with(context, Place::ROOT, body),
        None => Ok(body()),
    }
}

/// [`catch`] in a context that the caller names: for tests, where no CPU block exists.
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
    Err(settle(context, place, &ended, cpu))
}

/// Puts right what the ended frames left, and says what that was.
#[inline(never)]
fn settle(context: &FaultContext, place: Place, ended: &Unwinding, cpu: CpuState) -> Caught {
    let released_locks = cpu.restore(place.is_root, context.stack.get());
    context.hide_reserve();
    // SAFETY: every x86-64 processor has the instruction.
    let now = unsafe { core::arch::x86_64::_rdtsc() };
    let caught = Caught {
        cause: ended.cause,
        nested: ended.nested,
        lost_frames: ended.lost_frames,
        lost_bytes: ended.lost_bytes,
        released_locks,
        ticks: now.saturating_sub(ended.began),
        at_root: place.is_root && context.catch_top.get().is_null(),
    };
    if place.tells {
        tell(context, place, &caught);
    }
    caught
}

/// Calls the hook. If that faults itself, what was caught counts all the same.
fn tell(context: &FaultContext, place: Place, caught: &Caught) {
    context.settling.set(true);
    let _untold = catch_with(context, Place { tells: false, ..place }, || call_landed_hook(context, caught));
    context.settling.set(false);
}

/// What the CPU's guards said when a catch began: lost guards are not dropped, so it is put back by hand.
#[cfg(target_os = "none")]
#[derive(Clone, Copy)]
struct CpuState {
    preempt_count: u32,
    interrupt_guards: u32,
    interrupt_depth: u32,
    interrupts: bool,
}

#[cfg(target_os = "none")]
impl CpuState {
    fn take() -> Self {
        Self {
            preempt_count: cpu_local::preempt_count(),
            interrupt_guards: cpu_local::interrupt_guards(),
            interrupt_depth: cpu_local::interrupt_depth(),
            interrupts: cpu_local::interrupts_enabled(),
        }
    }

    /// Returns how many locks the lost frames held, for a root, whose task holds none beyond them.
    fn restore(self, is_root: bool, stack: StackBounds) -> u32 {
        let released = if is_root { release_locks(stack) } else { 0 };
        // SAFETY: the guards made since the catch began are dropped or lost, those made before it still live.
        unsafe {
            cpu_local::set_interrupt_depth(self.interrupt_depth);
            cpu_local::set_preempt_count(self.preempt_count);
            cpu_local::set_interrupt_guards(self.interrupt_guards);
        }
        set_interrupts(self.interrupts);
        cpu_local::preempt_if_pending();
        released
    }
}

/// Releases and poisons the locks of lost frames. Locks in those frames themselves are gone with them.
#[cfg(target_os = "none")]
fn release_locks(stack: StackBounds) -> u32 {
    let ledger = cpu_local::ledger();
    let forgotten = ledger.forget_within(stack.low..stack.high);
    // SAFETY: the root's frames are all gone, so nothing believes that it holds one of the locks; those elsewhere
    // than on the stack were leaked where they are, not freed.
    forgotten + unsafe { ledger.release_all(ledger.owner()).count }
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

    fn restore(self, _is_root: bool, _stack: StackBounds) -> u32 {
        0
    }
}

static LAST_RESORT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Sets what is done when an unwinding has nowhere to go: log and reboot.
pub fn set_last_resort(hook: fn() -> !) {
    LAST_RESORT.store(hook as *mut (), Ordering::Release);
}

/// Ends it all: the last rung of the ladder.
#[cold]
pub fn nothing_catches() -> ! {
    let hook = LAST_RESORT.load(Ordering::Acquire);
    if !hook.is_null() {
        // SAFETY: only `set_last_resort` stores here, and it stores this type.
        let hook: fn() -> ! = unsafe { core::mem::transmute(hook) };
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
