//! From a cause to the place where it is caught.

use core::sync::atomic::Ordering;

use fault_context::{CatchRecord, Cause, FaultContext, FaultKind, KillRequest, Phase, Trace, Unwinding};
use registers::{FLAG_DIRECTION, SavedRegisters};
use spin::Once;

use crate::catch::{Caught, Detail};
use crate::language_data::{self, Action};
use crate::machine;
use crate::step::Registers;
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

static LANDED: Once<CaughtHook> = Once::new();
static INJECT: Once<fn(FaultKind)> = Once::new();

/// What is called in the task that something was caught in.
pub type CaughtHook = fn(&FaultContext, &Caught, Detail);

/// Has `hook` called in the ended task, whenever something was caught. The first hook stays.
pub fn set_caught_hook(hook: CaughtHook) {
    LANDED.call_once(|| hook);
}

pub(crate) fn call_caught_hook(context: &FaultContext, caught: &Caught, detail: Detail) {
    if let Some(hook) = LANDED.get() {
        hook(context, caught, detail);
    }
}

/// Has `hook` called at the cancellation point of a task in which a fault was asked for. The first hook stays.
pub fn set_injection_hook(hook: fn(FaultKind)) {
    INJECT.call_once(|| hook);
}

/// The place where a task can be ended, or be made to fault, as somebody asked: called by whatever blocks.
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
    if let Some(hook) = INJECT.get() {
        hook(kind);
    }
}

/// Whether the unwinder itself is at work in this context: a fault now is its own.
pub fn is_inside_unwinder() -> bool {
    fault_context::current().is_some_and(|context| context.unwinding.get().phase == Phase::Walking)
}

/// Unwinds because of a panic. Returns if nothing catches.
#[inline(never)]
pub fn begin_panic() {
    if let Some(context) = fault_context::current() {
        let kind = context.declared.take().unwrap_or(FaultKind::Panic);
        begin_in(context, Cause::of(kind));
    }
}

/// Unwinds, beginning with the caller, for this reason. Returns if nothing catches.
#[inline(never)]
pub fn begin_here(cause: Cause) {
    if let Some(context) = fault_context::current() {
        begin_in(context, cause);
    }
}

/// Ends the running task if somebody asked for that; within an unwinding, that one goes on.
#[cold]
pub fn begin_kill() {
    if let Some(context) = fault_context::current()
        && context.takes_orders()
    {
        begin_in(context, Cause::of(context.end_kind()));
    }
}

/// As [`begin_here`], in a context that the caller names.
#[inline(never)]
pub(crate) fn begin_in(context: &FaultContext, cause: Cause) {
    unsafe extern "C-unwind" fn start(context: *mut u8, registers: *const Registers) {
        // SAFETY: the context is the one passed below, the registers are on the stack of `take_registers`.
        let (context, registers) = unsafe { (&*context.cast::<FaultContext>(), *registers) };
        unwind(context, Walker::from_call(registers, context.stack.get()));
    }
    if sound(context, context.catch_top.get()).is_none() {
        return;
    }
    note(context, cause);
    // SAFETY: `start` expects exactly this pointer.
    unsafe { machine::take_registers(core::ptr::from_ref(context).cast_mut().cast(), start) }
}

/// Makes the interrupted task unwind because of a fault in it: changes `saved` so that the return from the
/// exception goes to the unwinder, on the task's own stack. Says whether it could; if not, nothing catches.
pub fn begin_fault(saved: &mut SavedRegisters, cause: Cause) -> bool {
    begin_at(saved, cause, false)
}

/// As [`begin_fault`], for an interrupted task that is to end. Where it is not [settled](is_settled) all its frames are given up,
/// and nothing of what they have is dropped.
pub fn begin_end(saved: &mut SavedRegisters) -> bool {
    let Some(context) = fault_context::current() else {
        return false;
    };
    let is_settled = is_settled(saved);
    begin_at(saved, Cause::of(context.end_kind()), !is_settled)
}

/// Whether the interrupted task stands in a function that can have changed nothing of its callers'. In any other, what a caller has
/// lent can be half changed between two instructions, and its landing pad would drop that.
pub fn is_settled(saved: &SavedRegisters) -> bool {
    unwind_table::find(saved.rip).is_some_and(|found| found.entry.is_isolated)
}

fn begin_at(saved: &mut SavedRegisters, cause: Cause, gives_up: bool) -> bool {
    let Some(context) = fault_context::current() else {
        return false;
    };
    let Some(record) = sound(context, context.catch_top.get()) else {
        return false;
    };
    strike_intents(context);
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

/// Strikes what the interrupted frame was about to lock or has just released: once that frame is lost, nobody keeps those
/// locks alive.
fn strike_intents(context: &FaultContext) {
    // SAFETY: exceptions are handled with interrupts off, on top of the context, and the frame is still there.
    unsafe { context.ledger.strike_intents() };
}

/// Where [`machine::fault_entry`] goes on.
pub(crate) extern "C-unwind" fn start_fault(context: &FaultContext) -> ! {
    let saved = context.saved.get();
    trace(context, Walker::from_interrupted(Registers::from(&saved), context.stack.get()));
    unwind(context, Walker::from_interrupted(Registers::from(&saved), context.stack.get()))
}

/// Where [`machine::abandon_entry`] goes on.
pub(crate) extern "C-unwind" fn start_abandon(context: &FaultContext) -> ! {
    let saved = context.saved.get();
    let mut trace = context.trace.get();
    if trace.count == 0 {
        // Nothing can be walked, but the culprit is known.
        trace.push(saved.rip);
        context.trace.set(trace);
    }
    abandon(context, saved.rsp)
}

/// Where [`machine::_Unwind_Resume`] goes on: a landing pad has done its work.
pub(crate) unsafe extern "C-unwind" fn resume(context: *const FaultContext, registers: *const Registers) -> ! {
    // SAFETY: landing pads are given the context as their exception, and the registers are on the stack of
    // `_Unwind_Resume`.
    let (context, registers) = unsafe { (&*context, *registers) };
    let mut unwinding = context.unwinding.get();
    unwinding.phase = Phase::Walking;
    context.unwinding.set(unwinding);
    unwind(context, Walker::from_call(registers, context.stack.get()))
}

/// Enters the cause in the context.
fn note(context: &FaultContext, mut cause: Cause) {
    if cause.kind == FaultKind::Killed {
        cause.kind = context.end_kind();
    }
    // Whatever it waited for, it does not go back to its loop.
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
fn trace(context: &FaultContext, walker: Walker) {
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
/// frames are kept, so that a full stack tells who filled it and who called that.
fn trace_of(walker: Walker) -> Trace {
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
fn unwind(context: &FaultContext, mut walker: Walker) -> ! {
    if context.trace.get().count == 0 {
        trace(context, walker.clone());
    }
    let mut may_pop = true;
    loop {
        let Some(record) = sound(context, context.catch_top.get()) else { lost() };
        let Some(rsp) = walker.peek().map(Registers::rsp) else { abandon(context, record.rsp) };
        if !context.stack.get().holds_pointer(rsp) {
            // A handler panics on an emergency stack: what it interrupted is not known, and it does not return.
            abandon(context, rsp);
        }
        if rsp >= record.rsp {
            if record.is_root || record.previous.is_null() || !context.unwinding.get().cause.kind.is_forced() {
                land(context, record);
            }
            // Its frame is about to be passed, and landing pads further out may overwrite it.
            // SAFETY: what is further out than a record on this stack is one, or null.
            unsafe { context.catch_top.set(record.previous) };
        }
        if context.unwinding.get().nested > MAX_NESTED {
            abandon(context, rsp);
        }
        let wild = walker.clone();
        match walker.next() {
            Some(Ok(frame)) => visit(context, &frame),
            _ if may_pop => {
                // A call through a wild pointer: the return address is on the stack.
                walker = wild;
                if walker.pop_return_address().is_err() {
                    abandon(context, rsp);
                }
            }
            _ => abandon(context, rsp),
        }
        may_pop = false;
    }
}

/// Enters the frame's landing pad, if it has one for where it stands; counts it as lost if it cannot be known.
fn visit(context: &FaultContext, frame: &Frame) {
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
fn abandon(context: &FaultContext, rsp: u64) -> ! {
    let Some(record) = sound(context, context.catch_top.get()).map(outermost) else { lost() };
    let mut unwinding = context.unwinding.get();
    unwinding.lost_frames += 1;
    // A stack pointer that was lost says nothing: then it may be all of the stack.
    let stack = context.stack.get();
    let from = if stack.holds_pointer(rsp) { rsp } else { stack.low };
    unwinding.lost_bytes += record.rsp.saturating_sub(from);
    context.unwinding.set(unwinding);
    land(context, record)
}

fn land(context: &FaultContext, record: &CatchRecord) -> ! {
    // SAFETY: the record's frame is further out than all that was walked, so it and what is outside it are still on the stack.
    unsafe {
        context.catch_top.set(record.previous);
        machine::go_to_record(record)
    }
}

/// There was a record when the unwinding began and there is none now: the stack itself is destroyed.
#[cold]
fn lost() -> ! {
    crate::catch::nothing_catches()
}
