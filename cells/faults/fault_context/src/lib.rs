//! The record of one task for recovery: everything that recovery needs when it may touch nothing else.
//!
//! Each task owns one [`FaultContext`]; its address is in the CPU's block while the task runs ([`current`]).
//! Guarantees: nothing here allocates or takes a lock, and a context is complete from `new` on, so that a fault
//! can be handled at any instruction of the task. Nothing here can fail; [`current`] is `None` on a CPU that has
//! no context yet.
//!
//! Concurrency: the plain cells belong to the task itself and to the exception handlers that run on top of it, so a
//! context is not shared: [`current`] cannot be handed to another task. Other tasks set requests (a kill, an injected fault):
//! these are atomic, and are reached through the task's record. A value that the unwinder believes without a check is
//! [`Trusted`].
#![no_std]

mod cause;
mod name;
mod requests;
mod stack;
mod trusted;
mod unwinding;

pub use cause::{Cause, FaultKind};
pub use name::Name;
pub use requests::KillRequest;
pub use stack::{Reserve, StackBounds};
pub use trusted::Trusted;
pub use unwinding::{CatchRecord, Phase, Trace, Unwinding};

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64};

use heap_accounts::Account;
use lock_ledger::Ledger;
use registers::SavedRegisters;

/// One task's record for recovery.
#[derive(Debug)]
#[repr(C)]
pub struct FaultContext {
    /// The exception that landing pads get: only its address is used.
    exception: u64,
    /// The innermost place where unwinding stops.
    pub catch_top: Trusted<*const CatchRecord>,
    /// The unwinding under way.
    pub unwinding: Cell<Unwinding>,
    /// The registers with which a fault began.
    pub saved: Trusted<SavedRegisters>,
    /// The stack when the fault began.
    pub trace: Cell<Trace>,
    /// The stack, reserve included.
    pub stack: Trusted<StackBounds>,
    /// The stack's reserve and guard, if it has them.
    pub reserve: Trusted<Option<Reserve>>,
    /// Whether the reserve is mapped now.
    reserve_revealed: AtomicBool,
    /// The kind of the next panic: set by code that panics for a more precise reason.
    pub declared: Cell<Option<FaultKind>>,
    /// The locks of this context.
    pub ledger: Ledger,
    /// The owner number of the lock that the task waits for; zero if it does not wait for a lock. The beginning of an
    /// unwinding is the end of the wait.
    pub waits_for: AtomicU64,
    /// The task's number.
    pub task: u64,
    /// The task's name.
    pub name: Name,
    /// The account on which the heap puts the bytes that the task takes.
    pub heap_account: Account,
    /// How urgently the task is to end, and in the low byte why: one word, so that the reason belongs to the request.
    end: AtomicU16,
    inject: AtomicU8,
    /// How often the last request has been put off.
    put_off: AtomicU32,
    /// A fault was caught and is being noted: a request to end or to fault waits meanwhile.
    pub noting: Cell<bool>,
    /// The fault that the task makes while its next fault is noted: recovery's own faults are tested with it.
    pub fault_in_noting: Cell<Option<FaultKind>>,
    /// The task is on its way to make a requested fault: only its registers say where it stood, and a second request would
    /// overwrite them.
    pub making: Cell<bool>,
}

impl FaultContext {
    /// A context for the task `name` on `stack`. The locks of the task are marked with `owner` (unique, not zero), and its
    /// memory comes on this account.
    pub const fn new(owner: u64, name: Name, stack: StackBounds, heap_account: Account) -> Self {
        Self {
            exception: 0,
            catch_top: Trusted::new(ptr::null()),
            unwinding: Cell::new(Unwinding::IDLE),
            saved: Trusted::new(NO_REGISTERS),
            trace: Cell::new(Trace::EMPTY),
            stack: Trusted::new(stack),
            reserve: Trusted::new(None),
            reserve_revealed: AtomicBool::new(false),
            declared: Cell::new(None),
            ledger: Ledger::new(owner),
            waits_for: AtomicU64::new(0),
            task: owner,
            name,
            heap_account,
            end: AtomicU16::new(KillRequest::None as u16),
            inject: AtomicU8::new(0),
            put_off: AtomicU32::new(0),
            noting: Cell::new(false),
            fault_in_noting: Cell::new(None),
            making: Cell::new(false),
        }
    }

    /// Whether the task is being unwound: guards dropped now poison their locks.
    #[inline]
    pub fn is_unwinding(&self) -> bool {
        self.unwinding.get().phase != Phase::Idle
    }
}

const NO_REGISTERS: SavedRegisters = SavedRegisters {
    r15: 0,
    r14: 0,
    r13: 0,
    r12: 0,
    r11: 0,
    r10: 0,
    r9: 0,
    r8: 0,
    rbp: 0,
    rdi: 0,
    rsi: 0,
    rdx: 0,
    rcx: 0,
    rbx: 0,
    rax: 0,
    vector: 0,
    error_code: 0,
    rip: 0,
    cs: 0,
    rflags: 0,
    rsp: 0,
    ss: 0,
};

/// The context of the task that runs on this CPU. The task may keep the reference, because its context lives as long as the
/// task; it cannot give it to another task, because a context is not `Sync`.
#[inline]
pub fn current() -> Option<&'static FaultContext> {
    let pointer = cpu_local::fault_context().cast::<FaultContext>().cast_const();
    // SAFETY: `install` is the only writer of the pointer, and its caller keeps the context alive until another
    // one takes its place; the code that asks runs in that context.
    unsafe { pointer.as_ref() }
}

/// Whether the running task is being unwound.
#[inline]
pub fn unwinding() -> bool {
    current().is_some_and(FaultContext::is_unwinding)
}

/// Says of which kind the next panic of this context is, e.g. before an allocation error panics.
pub fn declare(kind: FaultKind) {
    if let Some(context) = current() {
        context.declared.set(Some(kind));
    }
}

/// Makes `context` the one of this CPU.
///
/// # Safety
/// It must describe the stack on which this CPU runs from now on, and outlive that.
pub unsafe fn install(context: *const FaultContext) {
    // SAFETY: the caller's promise is the one that the CPU's block asks for.
    unsafe { cpu_local::set_fault_context(context.cast_mut().cast()) }
}
