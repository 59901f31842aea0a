//! What recovery knows about one task: everything it needs when nothing else may be touched.
//!
//! Each task owns one [`FaultContext`]; its address is in the CPU's block while the task runs ([`current`]).
//! Guarantees: nothing here allocates or takes a lock, and a context is complete from `new` on, so that a fault
//! can be handled at any instruction of the task. Nothing here can fail; [`current`] is `None` on a CPU that has
//! no context yet.
//!
//! Concurrency: the plain cells belong to the task itself and to the exception handlers that run on top of it, so a
//! context is not shared: [`current`] cannot be handed to another task. What others may set (a kill, an injected fault) is
//! atomic; they reach it through the task's record. What the unwinder believes without a check is [`Trusted`].
#![no_std]

mod cause;
mod name;
mod trusted;

pub use cause::{Cause, FaultKind};
pub use name::Name;
pub use trusted::Trusted;

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use heap_accounts::Account;
use lock_ledger::Ledger;
use registers::SavedRegisters;

/// The addresses of a stack that may be read and written, `high` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackBounds {
    /// Lowest address: the bottom of the reserve.
    pub low: u64,
    /// First address above the stack.
    pub high: u64,
}

impl StackBounds {
    /// Whether the whole word at `address` lies on the stack.
    #[inline]
    pub const fn holds_word(&self, address: u64) -> bool {
        address >= self.low && address < self.high && self.high - address >= 8
    }

    /// Whether `address` can be the value of a stack pointer on this stack.
    #[inline]
    pub const fn holds_pointer(&self, address: u64) -> bool {
        address >= self.low && address <= self.high
    }
}

/// How the reserve below a stack is made usable and is taken away again; both without lock or allocation.
#[derive(Debug, Clone, Copy)]
pub struct Reserve {
    /// The stack, as the functions know it.
    pub stack: *const (),
    /// Maps the reserve of a stack that is there.
    pub reveal: unsafe fn(*const ()),
    /// Unmaps the reserve of a stack that is there, on which nobody uses it.
    pub hide: unsafe fn(*const ()),
    /// Lowest address of the guard page.
    pub guard_low: u64,
    /// First address behind the guard area, the lowest of the stack proper.
    pub guard_high: u64,
}

/// Where unwinding can stop: left on the stack by the one function that catches. The frame at `rsp` holds the
/// callee-saved registers, so the two words are all it takes to go on there.
#[repr(C)]
#[derive(Debug)]
pub struct CatchRecord {
    /// Stack pointer of the catching frame.
    pub rsp: u64,
    /// Where it goes on when something was caught.
    pub rip: u64,
    /// The record further out.
    pub previous: *const CatchRecord,
    /// The task's root, which alone stops a kill.
    pub is_root: bool,
    /// What was being unwound when the record was made (a destructor that catches).
    pub outer: Unwinding,
}

/// How far the unwinding of a task is.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is being unwound.
    Idle,
    /// The unwinder itself runs; a fault now is a fault of the unwinder.
    Walking,
    /// A landing pad runs.
    Cleaning,
}

/// The state of an unwinding; small, so that a catch inside a destructor can put the outer one aside.
#[derive(Debug, Clone, Copy)]
pub struct Unwinding {
    /// How far it is.
    pub phase: Phase,
    /// Why it began.
    pub cause: Cause,
    /// Panics and faults in landing pads since it began.
    pub nested: u32,
    /// Frames whose landing pads could not be run.
    pub lost_frames: u32,
    /// Bytes of the frames whose landing pads could not be run.
    pub lost_bytes: u64,
    /// The time stamp counter when it began.
    pub began: u64,
}

impl Unwinding {
    /// No unwinding.
    pub const IDLE: Self =
        Self { phase: Phase::Idle, cause: Cause::NONE, nested: 0, lost_frames: 0, lost_bytes: 0, began: 0 };
}

/// The addresses at which the frames of a stack stood when a fault began, innermost first; of a recursion only the first
/// frames. They are kept inverted: the text may be gone when others are looked for who refer to what lies there then.
#[derive(Debug, Clone, Copy)]
pub struct Trace {
    frames: [u64; Self::FRAMES],
    /// How many there are.
    pub count: usize,
}

impl Trace {
    /// Frames that are kept: enough to get past the panic machinery to the code that is to blame.
    pub const FRAMES: usize = 24;
    /// No frame.
    pub const EMPTY: Self = Self { frames: [0; Self::FRAMES], count: 0 };

    /// Appends a frame; what finds no room is dropped.
    pub fn push(&mut self, address: u64) {
        if let Some(slot) = self.frames.get_mut(self.count) {
            *slot = !address;
            self.count += 1;
        }
    }

    /// The frames that were kept.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.frames.iter().take(self.count).map(|frame| !frame)
    }
}

/// How urgently a task is to end.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KillRequest {
    /// It is not.
    None = 0,
    /// At its next cancellation point.
    AtCancellationPoint = 1,
    /// Between two instructions, at an interrupt.
    Anywhere = 2,
}

/// One task's record for recovery.
#[derive(Debug)]
#[repr(C)]
pub struct FaultContext {
    /// What landing pads get as their exception: its address, nothing else, is used.
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
    /// What the next panic really is: set by whoever panics for a more precise reason.
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
    /// On what account the heap puts what the task takes.
    pub heap_account: Account,
    /// How urgently the task is to end, and in the low byte why: one word, so that the reason is that of the request.
    end: AtomicU16,
    inject: AtomicU8,
    /// How often what was asked for last has been put off.
    put_off: AtomicU32,
    /// Something was caught, and what comes of it is being noted: nothing that others ask for is done meanwhile.
    pub settling: Cell<bool>,
    /// The task is on its way to make a fault that somebody asked for: where it stood is known by registers alone, which
    /// a second order would overwrite.
    pub making: Cell<bool>,
}

impl FaultContext {
    /// A context for what `name` does on `stack`, whose locks are marked with `owner` (unique, not zero), and whose memory comes
    /// on this account.
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
            settling: Cell::new(false),
            making: Cell::new(false),
        }
    }

    /// Whether the task is being unwound: guards dropped now poison what they guard.
    #[inline]
    pub fn is_unwinding(&self) -> bool {
        self.unwinding.get().phase != Phase::Idle
    }

    /// Whether what others ask for (an end, a fault) can be done now: something would catch it, and it would not come in
    /// between while an earlier end is being dealt with.
    #[inline]
    pub fn takes_orders(&self) -> bool {
        !self.is_unwinding() && !self.settling.get() && !self.making.get() && !self.catch_top.get().is_null()
    }

    /// Asks the task to end, for this reason. A request replaces weaker ones, with their reasons, and no others.
    pub fn request_end(&self, why: FaultKind, request: KillRequest) {
        let asked = (request as u16) << 8 | why as u16;
        let stronger = |present: u16| (present >> 8 < asked >> 8).then_some(asked);
        // An error says that what is asked for already is at least as strong.
        let _kept = self.end.fetch_update(Ordering::AcqRel, Ordering::Acquire, stronger);
        self.put_off.store(0, Ordering::Relaxed);
    }

    /// Asks the task to end because somebody wants it to.
    pub fn request_kill(&self, request: KillRequest) {
        self.request_end(FaultKind::Killed, request);
    }

    /// Forgets that the task was asked to end. For a task that begins anew instead.
    pub fn withdraw_end(&self) {
        self.end.store(KillRequest::None as u16, Ordering::Release);
    }

    /// Whether the task is to end, and can be ended now.
    #[inline]
    pub fn is_to_end(&self) -> bool {
        self.kill_request() != KillRequest::None && self.takes_orders()
    }

    /// Why the task is to end, if it is.
    pub fn end_kind(&self) -> FaultKind {
        let [why, _] = self.end.load(Ordering::Acquire).to_le_bytes();
        FaultKind::from_number(why).unwrap_or(FaultKind::Killed)
    }

    /// How urgently the task is to end.
    #[inline]
    pub fn kill_request(&self) -> KillRequest {
        match self.end.load(Ordering::Acquire) >> 8 {
            0 => KillRequest::None,
            1 => KillRequest::AtCancellationPoint,
            _ => KillRequest::Anywhere,
        }
    }

    /// Asks for a fault of this kind in the task; replaces one that was not delivered yet.
    pub fn request_fault(&self, kind: FaultKind) {
        self.inject.store(kind as u8, Ordering::Release);
        self.put_off.store(0, Ordering::Relaxed);
    }

    /// Puts off what was asked for: the task is not where that can be done without harm. Says whether it may be put off: after
    /// half a second of its own time it has to be done all the same.
    pub fn put_off(&self) -> bool {
        self.put_off.fetch_add(1, Ordering::Relaxed) < MAX_PUT_OFF
    }

    /// Whether a fault is to be made in the task.
    #[inline]
    pub fn has_requested_fault(&self) -> bool {
        self.inject.load(Ordering::Relaxed) != 0
    }

    /// Takes the fault that is to be made in the task, if there is one.
    #[inline]
    pub fn take_requested_fault(&self) -> Option<FaultKind> {
        if !self.has_requested_fault() {
            return None;
        }
        FaultKind::from_number(self.inject.swap(0, Ordering::AcqRel))
    }

    /// Makes the reserve below the stack usable, once.
    pub fn reveal_reserve(&self) {
        if let Some(reserve) = self.reserve.get()
            && !self.reserve_revealed.swap(true, Ordering::AcqRel)
        {
            // SAFETY: whoever set the reserve vouched for its functions; the context is in use, so its stack is there.
            unsafe { (reserve.reveal)(reserve.stack) };
        }
    }

    /// Takes the reserve away again if it was revealed and the caller, with what hiding takes, stands on the stack proper;
    /// else somebody further out will.
    pub fn hide_reserve(&self) {
        let here = 0u8;
        let lowest = ((&raw const here).addr() as u64).saturating_sub(HIDING_STACK);
        if let Some(reserve) = self.reserve.get()
            && !(reserve.guard_low..reserve.guard_high).contains(&lowest)
            && self.reserve_revealed.swap(false, Ordering::AcqRel)
        {
            // SAFETY: as in `reveal_reserve`; this frame and those that called it are above the reserve.
            unsafe { (reserve.hide)(reserve.stack) };
        }
    }
}

/// Ticks of the timer for which what was asked for is put off.
const MAX_PUT_OFF: u32 = 500;

/// Stack that hiding the reserve takes: pages are unmapped and other CPUs are told.
const HIDING_STACK: u64 = 4096;

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

/// The context of what runs on this CPU now. A task may keep the reference, for its context lives as long as it does; to
/// others it cannot give it, a context not being `Sync`.
#[inline]
pub fn current() -> Option<&'static FaultContext> {
    let pointer = cpu_local::fault_context().cast::<FaultContext>().cast_const();
    // SAFETY: `install` is the only writer of the pointer, and its caller keeps the context alive until another
    // one takes its place; the code that asks runs in that context.
    unsafe { pointer.as_ref() }
}

/// Whether what runs here is being unwound.
#[inline]
pub fn unwinding() -> bool {
    current().is_some_and(FaultContext::is_unwinding)
}

/// Says what the next panic of this context really is, e.g. before an allocation error panics.
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
