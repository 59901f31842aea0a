//! From a cause to the place where it is caught.

use core::sync::atomic::Ordering;

use fault_context::{CatchRecord, Cause, FaultContext, FaultKind, KillRequest, Phase, Trace, Unwinding};
use hook::Hook;
use registers::{FLAG_DIRECTION, SavedRegisters};

use crate::capture::take_registers;
use crate::frame_registers::Registers;
use crate::language_data::{self, Action};
use crate::last_resort::nothing_catches;
use crate::machine;
use crate::walker::{Frame, Walker};

/// Panics and faults in landing pads of one unwinding after which the rest of the stack is given up. Each costs
/// a frame, so this only stops a destructor that recurses into ever new faults.
const MAX_NESTED: u32 = 32;
/// Stack that is left between the faulting frame and the unwinder: compiled code keeps nothing below its stack
/// pointer, but the interrupted instruction may have been about to.
const CLEARANCE: u64 = 128;
/// Stack that the unwinder must at least find below the landing to begin with.
const ENTRY_STACK: u64 = 1024;
/// Functions that may call each other in a circle and still be known for a recursion.
const RECURSION: usize = 4;
/// Frames that are looked at for a trace: a stack of the default size has room for about as many of the smallest.
const MAX_TRACED: usize = 4096;
/// How far below its root an abandoned task says so; all that lies there is given up.
const ABANDON_CLEARANCE: u64 = 256;

/// Makes the fault that was asked for, at the cancellation point of the task. The unset hook makes none.
pub static INJECTION: Hook<fn(FaultKind)> = Hook::new(|_kind| {});

/// The place where a task is ended, or made to fault, if that was asked for: called by all functions that block.
#[inline]
pub fn cancellation_point() {
    if let Some(context) = fault_context::current() {
        if context.kill_request() != KillRequest::None {
            begin_kill();
        }
        if context.has_requested_fault()
            && context.takes_orders()
            && let Some(kind) = context.take_requested_fault()
        {
            inject(kind);
        }
    }
}

#[cold]
fn inject(kind: FaultKind) {
    INJECTION.get()(kind);
}

/// Unwinds because of a panic. Returns if nothing catches.
#[inline(never)]
pub fn begin_panic() {
    if let Some(context) = fault_context::current() {
        let kind = context.declared.take().unwrap_or(FaultKind::Panic);
        // SAFETY: this runs in the current context.
        unsafe { begin_in(context, Cause::of(kind)) };
    }
}

/// Unwinds, beginning with the caller, for this reason. Returns if nothing catches.
#[inline(never)]
pub fn begin_here(cause: Cause) {
    if let Some(context) = fault_context::current() {
        // SAFETY: as above.
        unsafe { begin_in(context, cause) };
    }
}

/// Ends the running task if that was asked for; within an unwinding, the unwinding goes on.
#[cold]
pub fn begin_kill() {
    if let Some(context) = fault_context::current()
        && context.takes_orders()
    {
        // SAFETY: as above.
        unsafe { begin_in(context, Cause::of(context.end_kind())) };
    }
}

/// As [`begin_here`], in a context that the caller names.
///
/// # Safety
/// The context is that of the stack on which this runs.
#[inline(never)]
pub unsafe fn begin_in(context: &FaultContext, cause: Cause) {
    unsafe extern "C-unwind" fn start(context: *mut u8, registers: *const Registers) {
        // SAFETY: the context is the one passed below, the registers are on the stack of `take_registers`.
        let (context, registers) = unsafe { (&*context.cast::<FaultContext>(), *registers) };
        // SAFETY: the registers are of the frame of `begin_in`, which stands on the context's stack and never goes on.
        unsafe { unwind(context, Walker::from_call(registers, context.stack.get())) }
    }
    if sound(context, context.catch_top.get()).is_none() {
        return;
    }
    note(context, cause);
    // SAFETY: `start` expects exactly this pointer.
    unsafe { take_registers(core::ptr::from_ref(context).cast_mut().cast(), start) }
}

/// Makes the interrupted task unwind because of a fault in it: changes `saved` so that the return from the
/// exception goes to the unwinder, on the task's own stack. Says whether it could; if not, nothing catches.
///
/// # Safety
/// `saved` are the registers with which the interrupted code of this context goes on, and interrupts are off.
pub unsafe fn begin_fault(saved: &mut SavedRegisters, cause: Cause) -> bool {
    // SAFETY: the caller's promise.
    unsafe { begin_at(saved, cause, false) }
}

/// As [`begin_fault`], for an interrupted task that is to end. Away from a [safe point](is_at_safe_point) all its frames are
/// given up, and none of their values are dropped.
///
/// # Safety
/// As for [`begin_fault`].
pub unsafe fn begin_end(saved: &mut SavedRegisters) -> bool {
    let Some(context) = fault_context::current() else {
        return false;
    };
    let gives_up = !is_at_safe_point(saved);
    // SAFETY: the caller's promise.
    unsafe { begin_at(saved, Cause::of(context.end_kind()), gives_up) }
}

/// Whether the interrupted task stands at a safe point: in an async-cancel-safe function, which can have changed no value of
/// its callers. In any other function a value that a caller has lent can be half changed between two instructions, and the
/// caller's landing pad would drop it.
pub fn is_at_safe_point(saved: &SavedRegisters) -> bool {
    unwind_table::entry(saved.rip).is_some_and(|entry| entry.is_async_cancel_safe)
}

/// # Safety
/// As for [`begin_fault`].
unsafe fn begin_at(saved: &mut SavedRegisters, cause: Cause, gives_up: bool) -> bool {
    let Some(context) = fault_context::current() else {
        return false;
    };
    let Some(record) = sound(context, context.catch_top.get()) else {
        return false;
    };
    // The locks that the interrupted frame was about to take or has just released: once that frame is lost, no frame keeps
    // them alive.
    // SAFETY: interrupts are off, and the frame is still there.
    unsafe { context.ledger.strike_intents() };
    let stack = context.stack.get();
    let landing = saved.rsp.wrapping_sub(CLEARANCE) & !15;
    let abandoned = gives_up
        || context.unwinding.get().phase == Phase::Walking
        || cause.kind == FaultKind::StackLost
        || !stack.holds_word(landing.wrapping_sub(ENTRY_STACK))
        || !stack.holds_pointer(saved.rsp);
    // SAFETY: the registers are those of the fault, and only the unwinder, which begins now, reads them.
    unsafe { context.saved.set(*saved) };
    note(context, cause);
    saved.rdi = core::ptr::from_ref(context).addr() as u64;
    saved.rflags &= !FLAG_DIRECTION;
    if abandoned {
        saved.rsp = (outermost(record).rsp - ABANDON_CLEARANCE) & !15;
        saved.rip = machine::abandon_entry as *const () as u64;
    } else {
        saved.rsi = saved.rip;
        saved.rdx = saved.rsp;
        saved.rsp = landing;
        saved.rip = machine::fault_entry as *const () as u64;
    }
    true
}

/// Where [`machine::fault_entry`] goes on.
///
/// # Safety
/// The context is that of the stack on which this runs, and the frame with the saved registers is given up.
pub(crate) unsafe extern "C-unwind" fn start_fault(context: &FaultContext) -> ! {
    let saved = context.saved.get();
    // SAFETY: the saved registers are those of the interrupted frame, above this one on the same stack.
    let walker = unsafe { Walker::from_interrupted(Registers::from(&saved), context.stack.get()) };
    keep_trace(context, walker.clone());
    // SAFETY: the caller's promise.
    unsafe { unwind(context, walker) }
}

/// Where [`machine::abandon_entry`] goes on.
///
/// # Safety
/// The context is that of the stack on which this runs.
pub(crate) unsafe extern "C-unwind" fn start_abandon(context: &FaultContext) -> ! {
    let saved = context.saved.get();
    let mut trace = context.trace.get();
    if trace.count == 0 {
        // Nothing can be walked, but the culprit is known.
        trace.push(saved.rip);
        context.trace.set(trace);
    }
    // SAFETY: the caller's promise.
    unsafe { abandon(context, saved.rsp) }
}

/// Where [`machine::_Unwind_Resume`] goes on: a landing pad has done its work.
///
/// # Safety
/// A landing pad calls this, with its exception and with its registers.
pub(crate) unsafe extern "C-unwind" fn resume(context: *const FaultContext, registers: *const Registers) -> ! {
    // SAFETY: landing pads are given the context as their exception, and the registers are on the stack of
    // `_Unwind_Resume`.
    let (context, registers) = unsafe { (&*context, *registers) };
    let mut unwinding = context.unwinding.get();
    unwinding.phase = Phase::Walking;
    context.unwinding.set(unwinding);
    // SAFETY: the landing pad's frame has done its work and is given up, and the registers are its own.
    unsafe { unwind(context, Walker::from_call(registers, context.stack.get())) }
}

/// Enters the cause in the context.
fn note(context: &FaultContext, mut cause: Cause) {
    if cause.kind == FaultKind::Killed {
        cause.kind = context.end_kind();
    }
    // If it waited, it does not go back to its loop.
    context.waits_for.store(0, Ordering::Release);
    let mut unwinding = context.unwinding.get();
    if unwinding.phase == Phase::Idle {
        // SAFETY: every x86-64 processor has the instruction.
        let began = unsafe { core::arch::x86_64::_rdtsc() };
        unwinding = Unwinding { phase: Phase::Walking, cause, began, ..Unwinding::IDLE };
        context.trace.set(Trace::EMPTY);
    } else {
        // A fault within an unwinding is a consequence: the first cause stays, unless this one goes further.
        unwinding.phase = Phase::Walking;
        unwinding.nested += 1;
        if cause.kind.is_forced() {
            unwinding.cause = cause;
        }
    }
    context.unwinding.set(unwinding);
}

/// Keeps where the frames stand, for the first cause of an unwinding.
fn keep_trace(context: &FaultContext, walker: Walker<'_>) {
    if context.unwinding.get().nested != 0 {
        return;
    }
    let mut outside = walker.clone();
    let mut trace = trace_of(walker);
    if trace.count == 0 && outside.pop_return_address().is_ok() {
        // A call of a wild address: begin with the caller.
        trace = trace_of(outside);
    }
    context.trace.set(trace);
}

/// Where the frames stand, as far as they can be walked. Of functions that call each other over and over only the innermost
/// frames are kept, so that a full stack tells which functions filled it and which function called them.
fn trace_of(walker: Walker<'_>) -> Trace {
    let mut trace = Trace::EMPTY;
    let mut kept = [0; RECURSION];
    for frame in walker.take(MAX_TRACED).map_while(Result::ok) {
        if !kept.contains(&frame.function) {
            kept[trace.count % RECURSION] = frame.function;
            trace.push(frame.lookup);
        }
        if trace.count == Trace::FRAMES {
            break;
        }
    }
    trace
}

/// The record, if it lies on the stack and its frame too.
fn sound(context: &FaultContext, record: *const CatchRecord) -> Option<&CatchRecord> {
    let stack = context.stack.get();
    if record.is_null() || !record.is_aligned() || !stack.holds_word(record.addr() as u64) {
        return None;
    }
    // SAFETY: `catch` keeps the record on this stack for as long as it is the context's.
    let record = unsafe { &*record };
    stack.holds_word(record.rsp).then_some(record)
}

/// The root of the chain, or its last record.
fn outermost(mut record: &CatchRecord) -> &CatchRecord {
    while !record.is_root && !record.previous.is_null() {
        // SAFETY: records are linked innermost first, and the outer ones outlive the inner ones.
        record = unsafe { &*record.previous };
    }
    record
}

/// Runs landing pads from the walker's next frame up to the place that catches, and goes on there. Each landing
/// pad ends in [`resume`], which comes back here.
///
/// # Safety
/// The context is that of the stack on which this runs, and the walker's frames are given up: none of them goes on.
unsafe fn unwind(context: &FaultContext, mut walker: Walker<'_>) -> ! {
    if context.trace.get().count == 0 {
        keep_trace(context, walker.clone());
    }
    // SAFETY: the caller's promise.
    let abandon = |rsp: u64| -> ! { unsafe { abandon(context, rsp) } };
    let mut may_pop = true;
    loop {
        let Some(record) = sound(context, context.catch_top.get()) else { nothing_catches() };
        let Some(rsp) = walker.peek().map(Registers::rsp) else { abandon(record.rsp) };
        if !context.stack.get().holds_pointer(rsp) {
            // A handler panics on an emergency stack: the frame that it interrupted is not known, and it does not return.
            abandon(rsp);
        }
        if rsp >= record.rsp {
            if record.is_root || record.previous.is_null() || !context.unwinding.get().cause.kind.is_forced() {
                // SAFETY: the caller's promise; all frames further in than the record's have been visited.
                unsafe { land(context, record) }
            }
            // Its frame is about to be passed, and landing pads further out may overwrite it.
            // SAFETY: the previous record of a record on this stack is one, or null.
            unsafe { context.catch_top.set(record.previous) };
        }
        if context.unwinding.get().nested > MAX_NESTED {
            abandon(rsp);
        }
        let wild = walker.clone();
        match walker.next() {
            // SAFETY: the frame is given up, as the caller says, and all frames further in have been visited.
            Some(Ok(frame)) => unsafe { visit(context, &frame) },
            _ if may_pop => {
                // A call through a wild pointer: the return address is on the stack.
                walker = wild;
                if walker.pop_return_address().is_err() {
                    abandon(rsp);
                }
            }
            _ => abandon(rsp),
        }
        may_pop = false;
    }
}

/// Enters the frame's landing pad, if it has one for where it stands; counts it as lost if it cannot be known.
///
/// # Safety
/// The frame is on this stack and given up, and so are all frames below it.
unsafe fn visit(context: &FaultContext, frame: &Frame) {
    let action = match frame.language_data {
        // The tables cover calls only: an instruction between two calls may match a pad that is wrong for it, and one in a
        // function without tables may still stand where something is owned that no call in it could lose.
        _ if frame.interrupted => Action::GiveUp,
        // SAFETY: the frame's description names this area as the function's.
        Some(area) => unsafe { language_data::action(area, frame.function, frame.lookup) },
        None => Action::Nothing,
    };
    let mut unwinding = context.unwinding.get();
    match action {
        Action::Nothing => {}
        Action::GiveUp => {
            unwinding.lost_frames += 1;
            unwinding.lost_bytes += frame.size();
            context.unwinding.set(unwinding);
        }
        Action::CleanUp(pad) => {
            unwinding.phase = Phase::Cleaning;
            context.unwinding.set(unwinding);
            let mut registers = frame.registers;
            registers.0[Registers::RIP] = pad;
            registers.0[Registers::RAX] = core::ptr::from_ref(context).addr() as u64;
            registers.0[Registers::RDX] = 0;
            // SAFETY: the frame was called from where it stands and is still on the stack; the pad is its own
            // for that call.
            unsafe { machine::install(&raw const registers) }
        }
    }
}

/// Gives up all frames between `rsp` and the root.
///
/// # Safety
/// The context is that of the stack on which this runs.
unsafe fn abandon(context: &FaultContext, rsp: u64) -> ! {
    let Some(record) = sound(context, context.catch_top.get()).map(outermost) else { nothing_catches() };
    let mut unwinding = context.unwinding.get();
    unwinding.lost_frames += 1;
    // A stack pointer that was lost says nothing: then it may be all of the stack.
    let stack = context.stack.get();
    let from = if stack.holds_pointer(rsp) { rsp } else { stack.low };
    unwinding.lost_bytes += record.rsp.saturating_sub(from);
    context.unwinding.set(unwinding);
    // SAFETY: the frames further in are given up here.
    unsafe { land(context, record) }
}

/// Goes on in the frame that made the record.
///
/// # Safety
/// The context is that of the stack on which this runs, the record is one of its chain, and the frames further in are given
/// up.
unsafe fn land(context: &FaultContext, record: &CatchRecord) -> ! {
    // SAFETY: the record's frame is further out than all frames that were walked, so it and the frames outside it are still
    // on the stack.
    unsafe {
        context.catch_top.set(record.previous);
        machine::go_to_record(record)
    }
}
