//! The part of a task's record that making and ending tasks is about: what a task does, on which stack, and what is left.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::hint;
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use cpu_local::PreemptGuard;
use spin::Once;
use stacks::{Reserve, Stack};

use crate::ended::Ended;
use crate::origin::{Living, Origin};
use crate::role::Disposal;

/// What a task does: called once, on its own stack.
pub type Start = Box<dyn FnOnce() + Send>;

/// A value that is dropped at the end of its task: its address, and how to drop it.
pub type Destructor = (*mut (), unsafe fn(*mut ()));

/// What a task does and owns. [`Task::body`](crate::Task::body) gives it to the cell that makes and ends tasks.
///
/// Each cell (`Cell`, `UnsafeCell`) has one user at a time: the maker before the task is in the table, then the task itself,
/// and its disposer after the task has left its CPU for the last time. The stack is the exception: see
/// [`with_stack`](Self::with_stack).
pub struct Body {
    stack: UnsafeCell<Option<Stack>>,
    /// How many tasks use the stack just now, without standing on it.
    stack_users: AtomicU32,
    reserve: Cell<Option<Reserve>>,
    exiting: Cell<bool>,
    start: UnsafeCell<Option<Start>>,
    /// What the task's code is part of. Dropped after everything that came from there.
    origin: UnsafeCell<Option<Origin>>,
    destructors: UnsafeCell<Vec<Destructor>>,
    /// The count of the tasks of its origin, if it has one. Set before the task is in the table.
    living: Option<Living>,
    /// Only tasks of its own origin can have the right to join it. Set before the task is in the table.
    joined_from_within: bool,
    disposal: AtomicU8,
    /// When an order to end is to be escalated, in ticks of the clock; 0 if there is none.
    grace_end: AtomicU64,
    began: AtomicBool,
    ended: Once<Result<(), Ended>>,
}

// SAFETY: one task at a time uses each cell, as the type's description says. The other fields are atomic, or
// change only before the task is in the table.
unsafe impl Sync for Body {}
// SAFETY: the destructors are the one field that is not `Send`: the task itself is their only user, on every CPU.
unsafe impl Send for Body {}

impl Body {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self {
            stack: UnsafeCell::new(None),
            stack_users: AtomicU32::new(0),
            reserve: Cell::new(None),
            exiting: Cell::new(false),
            start: UnsafeCell::new(None),
            origin: UnsafeCell::new(None),
            destructors: UnsafeCell::new(Vec::new()),
            living: None,
            joined_from_within: false,
            disposal: AtomicU8::new(Disposal::Joinable as u8),
            grace_end: AtomicU64::new(0),
            began: AtomicBool::new(false),
            ended: Once::new(),
        }
    }

    /// Whether `address` lies in a field that may refer to a cell: what the task does, what it came from, what is dropped with
    /// it.
    pub(crate) fn may_refer_to_a_cell(&self, address: u64) -> bool {
        covers(&self.start, address) || covers(&self.origin, address) || covers(&self.destructors, address)
    }

    /// Gives a new task its stack and what it does. Returns how recovery gets at the stack's reserve.
    pub(crate) fn equip(&mut self, stack: Stack, start: Start) -> fault_context::Reserve {
        self.reserve.set(Some(stack.reserve()));
        let reserve = fault_context::Reserve {
            stack: ptr::from_ref(self).cast(),
            reveal: reveal_reserve,
            hide: hide_reserve,
            guard_low: stack.guard().start().as_u64(),
            guard_high: stack.bottom().as_u64(),
        };
        *self.stack.get_mut() = Some(stack);
        *self.start.get_mut() = Some(start);
        reserve
    }

    /// Says where the code of a new task comes from, and whether only tasks from there can join it.
    pub(crate) fn set_origin(&mut self, origin: Origin, joined_from_within: bool) {
        self.living = Some(origin.living());
        self.joined_from_within = joined_from_within;
        *self.origin.get_mut() = Some(origin);
    }

    /// Counts the task among those of its origin, when it is entered in the table.
    pub(crate) fn join_origin(&self) {
        if let Some(living) = &self.living {
            living.join();
        }
    }

    pub(crate) fn ended(&self) -> Option<Result<(), Ended>> {
        self.ended.get().copied()
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.began.load(Ordering::Acquire)
    }

    /// When the order to end is to be escalated, in ticks of the clock, if there is one and the task has not ended.
    pub(crate) fn grace_end(&self) -> Option<u64> {
        let ticks = self.grace_end.load(Ordering::Acquire);
        (ticks != 0 && self.ended().is_none()).then_some(ticks)
    }

    /// # Safety
    /// The caller is the task itself.
    pub(crate) unsafe fn origin(&self) -> Option<Origin> {
        // SAFETY: set before the task ran, and taken after it has ended.
        unsafe { (*self.origin.get()).clone() }
    }

    /// # Safety
    /// The caller is the task itself, and no interrupt handler. The destructor is right for its value, which stays valid until
    /// the task's end.
    pub(crate) unsafe fn note_destructor(&self, destructor: Destructor) {
        // A task that is ended between two instructions must not leave the list half changed.
        let _stay = PreemptGuard::new();
        // SAFETY: the task is the only user of the list, and the reference ends here.
        unsafe { (*self.destructors.get()).push(destructor) };
    }

    /// Uses the stack of a task that may be running, unless `has_ended`. `work` is short and does not block.
    pub(crate) fn with_stack<R>(&self, has_ended: impl FnOnce() -> bool, work: impl FnOnce(&Stack) -> R) -> Option<R> {
        let _stay = PreemptGuard::new();
        // First the count, then the look at the state; the disposer does it the other way round (docs/memory-order.md, 4).
        self.stack_users.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as long as users are counted the disposer leaves the stack where it is; before the end only `equip` writes
        // the field, with exclusive access.
        let result = (!has_ended()).then(|| unsafe { (*self.stack.get()).as_ref() }.map(work));
        self.stack_users.fetch_sub(1, Ordering::SeqCst);
        result.flatten()
    }

    /// Notes that the running task has more than its first frame on its stack from now on. For the outermost function of a
    /// task, before it enables interrupts.
    pub fn begin(&self) {
        self.began.store(true, Ordering::Release);
    }

    /// What the running task is to do; nothing the second time. For the outermost function of a task.
    pub fn take_start(&self) -> Option<Start> {
        // SAFETY: the task itself calls this, after its maker has filled the field.
        unsafe { (*self.start.get()).take() }
    }

    /// Notes that the running task ends because it wants to.
    pub fn set_exiting(&self) {
        self.exiting.set(true);
    }

    /// Whether the running task ends because it wants to.
    pub fn is_exiting(&self) -> bool {
        self.exiting.get()
    }

    /// Takes the destructor that is due next. For the running task at its end.
    pub fn next_destructor(&self) -> Option<Destructor> {
        // As in `note_destructor`.
        let _stay = PreemptGuard::new();
        // SAFETY: the task itself calls this, and the reference ends here.
        unsafe {
            let list = &mut *self.destructors.get();
            let next = list.pop();
            if next.is_none() {
                drop(mem::take(list));
            }
            next
        }
    }

    /// Notes how the running task ended. The first call counts.
    pub fn conclude(&self, how: Result<(), Ended>) {
        self.ended.call_once(|| how);
    }

    /// Notes when an order to end is to be escalated, in ticks of the clock; `None` when that has been done. A more urgent order
    /// replaces an earlier one.
    pub fn set_grace_end(&self, ticks: Option<u64>) {
        match ticks {
            Some(ticks) => {
                let sooner = |noted| (noted == 0 || ticks < noted).then_some(ticks.max(1));
                // A later one leaves the noted one as it is.
                let _kept = self.grace_end.fetch_update(Ordering::AcqRel, Ordering::Acquire, sooner);
            }
            None => self.grace_end.store(0, Ordering::Release),
        }
    }

    /// Sets what becomes of the record; returns what was set before.
    pub fn dispose(&self, disposal: Disposal) -> Disposal {
        match self.disposal.swap(disposal as u8, Ordering::AcqRel) {
            0 => Disposal::Joinable,
            1 => Disposal::Detached,
            _ => Disposal::Ended,
        }
    }

    /// Counts the end of the running task for its origin; true if it was the last task from there.
    pub fn leave_origin(&self) -> bool {
        self.living.as_ref().is_some_and(Living::leave)
    }

    /// Whether the task has ended and waits for a joiner that cannot come: only tasks of its origin could join it, and all of
    /// them have ended.
    pub fn is_left_over(&self) -> bool {
        self.disposal.load(Ordering::Acquire) == Disposal::Ended as u8
            && self.joined_from_within
            && self.living.as_ref().is_some_and(Living::is_over)
    }

    /// Takes the stack from a task that has left its CPU for the last time, and what its code was part of, which is to be
    /// dropped after the stack. For the one disposer of the task.
    pub fn strip(&self) -> (Option<Stack>, Option<Origin>) {
        while self.stack_users.load(Ordering::SeqCst) != 0 {
            hint::spin_loop();
        }
        // SAFETY: the task has ended and is not busy, so its one disposer is the only user of both fields.
        unsafe { ((*self.stack.get()).take(), (*self.origin.get()).take()) }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("ended", &self.ended()).finish_non_exhaustive()
    }
}

/// Whether `address` lies in `field`.
pub(crate) fn covers<T>(field: &T, address: u64) -> bool {
    let start = ptr::from_ref(field).addr() as u64;
    (start..start + size_of::<T>() as u64).contains(&address)
}

/// Makes the reserve below a task's stack present. Takes no lock.
///
/// # Safety
/// `body` is that of a task that runs, so that its stack is there.
unsafe fn reveal_reserve(body: *const ()) {
    // SAFETY: the caller's promise.
    if let Some(reserve) = unsafe { &*body.cast::<Body>() }.reserve.get() {
        // SAFETY: the caller's promise.
        unsafe { reserve.reveal() };
    }
}

/// Takes the reserve below a task's stack away. If the processors cannot be told it stays until the stack is disposed of.
///
/// # Safety
/// `body` is that of the task that calls this, standing on the stack proper.
unsafe fn hide_reserve(body: *const ()) {
    // SAFETY: the caller's promise; the stack of a task that runs is not taken.
    if let Some(stack) = unsafe { (*(*body.cast::<Body>()).stack.get()).as_ref() } {
        let _stays = stack.hide_reserve();
    }
}
