//! One task's record.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::hint;
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use cpu_local::{CpuId, CpuSet, PreemptGuard};
use fault_context::{FaultContext, Name, StackBounds};
use heap_accounts::Account;
use inheritance::Donations;
use policy_interface::{PolicyEntry, Priority, Slot};
use spin::Once;
use spin_lock::SpinLock;
use stacks::{Reserve, Stack};

use crate::ended::Ended;
use crate::id::TaskId;
use crate::machinery::Machinery;
use crate::origin::Origin;
use crate::role::{Disposal, Role};
use crate::state::{State, StateWord, Wake};

/// What a task does: called once, on its own stack.
pub type Start = Box<dyn FnOnce() + Send>;

/// What recovery calls when a thread local's owner ends: the value's address and how to drop it.
pub(crate) type Destructor = (*mut (), unsafe fn(*mut ()));

/// One task.
///
/// The cells are used by the task itself, or by whoever made it before it ran, or by whoever disposes of it after
/// it has left its CPU for the last time; never by two of them at once.
pub struct Task {
    /// Where the task was switched out; written by the switch itself.
    stack_pointer: UnsafeCell<u64>,
    /// Set from before the task is switched to until after its registers are saved.
    busy: UnsafeCell<bool>,
    pub(crate) state: StateWord,
    cpu: AtomicU32,
    /// Own priority in the low byte, inherited one in the next.
    pub(crate) priority: AtomicU32,
    slot: Slot,
    thread_pointer: Cell<u64>,
    affinity: CpuSet,
    role: Role,
    id: TaskId,
    pub(crate) faults: FaultContext,
    pub(crate) donations: SpinLock<Donations>,
    stack: UnsafeCell<Option<Stack>>,
    /// How many others use the stack just now (not run on it: its owner does).
    stack_users: AtomicU32,
    reserve: Cell<Option<Reserve>>,
    exiting: Cell<bool>,
    start: UnsafeCell<Option<Start>>,
    /// What its code is part of. Dropped after all that came from there.
    pub(crate) origin: UnsafeCell<Option<Origin>>,
    pub(crate) destructors: UnsafeCell<Vec<Destructor>>,
    disposal: AtomicU8,
    /// When an order to end is to be escalated, in ticks of the clock; 0 if there is none.
    grace_end: AtomicU64,
    began: AtomicBool,
    ended: Once<Result<(), Ended>>,
    ticks: AtomicU64,
    switches: AtomicU64,
}

// SAFETY: see the type's description for the cells; all else is atomic, immutable or locked.
unsafe impl Sync for Task {}
// SAFETY: nothing in it depends on the CPU or task that holds the reference.
unsafe impl Send for Task {}

const _: () = assert!(policy_interface::MAX_TASKS <= heap_accounts::PLACES, "every task has an account of its own");

impl Task {
    pub(crate) fn new(id: TaskId, slot: Slot, name: &str, affinity: CpuSet, priority: Priority, role: Role) -> Self {
        let account = Account::open(slot.index());
        let faults = FaultContext::new(id.number(), Name::new(name), StackBounds { low: 0, high: 0 }, account);
        Self {
            stack_pointer: UnsafeCell::new(0),
            busy: UnsafeCell::new(false),
            state: StateWord::new(),
            cpu: AtomicU32::new(0),
            priority: AtomicU32::new(u32::from(priority.level())),
            slot,
            thread_pointer: Cell::new(0),
            affinity,
            role,
            id,
            faults,
            donations: SpinLock::new(Donations::new()),
            stack: UnsafeCell::new(None),
            stack_users: AtomicU32::new(0),
            reserve: Cell::new(None),
            exiting: Cell::new(false),
            start: UnsafeCell::new(None),
            origin: UnsafeCell::new(None),
            destructors: UnsafeCell::new(Vec::new()),
            disposal: AtomicU8::new(Disposal::Joinable as u8),
            grace_end: AtomicU64::new(0),
            began: AtomicBool::new(false),
            ended: Once::new(),
            ticks: AtomicU64::new(0),
            switches: AtomicU64::new(0),
        }
    }

    /// Whether `address` lies in the record, and in no field that may refer to a cell: what the task is to do, what it came from,
    /// what will be dropped with it.
    pub(crate) fn is_record(&self, address: u64) -> bool {
        fn covers<T>(field: &T, address: u64) -> bool {
            let start = ptr::from_ref(field).addr() as u64;
            (start..start + size_of::<T>() as u64).contains(&address)
        }
        covers(self, address)
            && !covers(&self.start, address)
            && !covers(&self.origin, address)
            && !covers(&self.destructors, address)
    }

    /// Its number.
    #[inline]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Its place in tables indexed by task.
    #[inline]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Its name.
    pub fn name(&self) -> Name {
        self.faults.name
    }

    /// What it is doing now.
    pub fn state(&self) -> State {
        self.state.get(self.is_busy())
    }

    /// Whether it is the task that a CPU runs when there is nothing to do.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.role == Role::Idle
    }

    /// What it is for.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The CPU that it runs on, or ran on last.
    #[inline]
    pub fn cpu(&self) -> CpuId {
        CpuId::new(self.cpu.load(Ordering::Relaxed)).unwrap_or(CpuId::BOOT)
    }

    /// The CPUs that it may run on.
    #[inline]
    pub fn affinity(&self) -> CpuSet {
        self.affinity
    }

    /// What the scheduling policy is told about it.
    #[inline]
    pub fn policy_entry(&self, cpu: CpuId) -> PolicyEntry {
        PolicyEntry::of_priorities(self.slot, cpu.number(), self.priority.load(Ordering::Relaxed))
    }

    /// The priority that it was given.
    pub fn priority(&self) -> Priority {
        self.policy_entry(CpuId::BOOT).base
    }

    /// Timer ticks during which it ran.
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// How often it got a CPU.
    pub fn switches(&self) -> u64 {
        self.switches.load(Ordering::Relaxed)
    }

    /// Bytes of the heap that it took and nobody has freed.
    pub fn heap_bytes(&self) -> u64 {
        self.faults.heap_account.bytes()
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<Result<(), Ended>> {
        self.ended.get().copied()
    }

    /// Whether it ever ran with interrupts enabled. Until then nothing is on its stack but its first frame.
    pub fn has_begun(&self) -> bool {
        self.began.load(Ordering::Acquire)
    }

    /// The holder of the lock that it waits for.
    pub fn waits_for(&self) -> Option<TaskId> {
        TaskId::new(self.faults.waits_for.load(Ordering::Acquire))
    }

    /// Notes the holder of the lock that the running task is about to wait for, `None` afterwards; or the new holder of
    /// the lock that a blocked task waits for.
    pub fn set_waits_for(&self, _right: Machinery, holder: Option<TaskId>) {
        self.faults.waits_for.store(holder.map_or(0, TaskId::number), Ordering::Release);
    }

    /// What recovery knows about it.
    #[inline]
    pub fn faults(&self, _right: Machinery) -> &FaultContext {
        &self.faults
    }

    /// The addresses of its stack, reserve included.
    pub fn stack_bounds(&self) -> StackBounds {
        self.faults.stack.get()
    }

    /// Whether a CPU stands on its stack, or is only just leaving it.
    #[inline]
    pub fn is_busy(&self) -> bool {
        // SAFETY: the byte lives as long as the task and is written by single stores of other CPUs.
        unsafe { AtomicBool::from_ptr(self.busy.get()) }.load(Ordering::Acquire)
    }

    /// Where its registers lie (a `SwitchFrame`), while it has no CPU. Meaningful only as long as something keeps
    /// it from running: all other CPUs stand still, or its queue is locked.
    pub fn saved_stack_pointer(&self) -> Option<u64> {
        // SAFETY: the word lives as long as the task and is written by the single store of the switch, before `busy` is
        // cleared.
        (!self.is_busy()).then(|| unsafe { AtomicU64::from_ptr(self.stack_pointer.get()) }.load(Ordering::Relaxed))
    }

    /// The value of FS while it runs; thread locals lie below it.
    #[inline]
    pub fn thread_pointer(&self) -> u64 {
        self.thread_pointer.get()
    }

    /// The task is about to get this CPU. For the scheduler, with interrupts off.
    #[inline]
    pub fn enter(&self, _right: Machinery, cpu: CpuId) {
        // SAFETY: as in `is_busy`.
        unsafe { AtomicBool::from_ptr(self.busy.get()) }.store(true, Ordering::Relaxed);
        self.cpu.store(cpu.number(), Ordering::Relaxed);
        self.switches.store(self.switches.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// The words that the switch itself writes: saved stack pointer, busy flag. For the scheduler.
    #[inline]
    pub fn switch_words(&self, _right: Machinery) -> (*mut u64, *mut bool) {
        (self.stack_pointer.get(), self.busy.get())
    }

    /// The running task declares itself blocked; it switches away next, with interrupts off all the while.
    #[inline]
    pub fn block(&self, _right: Machinery) {
        self.state.block();
    }

    /// Makes a blocked task ready; `true` for the one caller who must then put it in a run queue.
    #[inline]
    pub fn wake(&self, _right: Machinery, why: Wake) -> bool {
        self.state.wake(why)
    }

    /// Why the task, having been blocked, runs again. For the task itself.
    #[inline]
    pub fn wake_reason(&self) -> Wake {
        self.state.reason()
    }

    /// Counts a timer tick of the running task.
    #[inline]
    pub fn count_tick(&self, _right: Machinery) {
        self.ticks.store(self.ticks.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Gives a new task its stack, its first stack pointer, what it does and where that comes from. Before it is entered in
    /// the table.
    pub fn equip(&self, _right: Machinery, stack: Stack, stack_pointer: u64, start: Start, origin: Option<Origin>) {
        self.thread_pointer.set(stack.thread_pointer().as_u64());
        self.reserve.set(Some(stack.reserve()));
        let bounds = StackBounds { low: stack.limit().as_u64(), high: stack.top().as_u64() };
        let reserve = fault_context::Reserve {
            stack: ptr::from_ref(self).cast(),
            reveal: reveal_reserve,
            hide: hide_reserve,
            guard_low: stack.guard().start().as_u64(),
            guard_high: stack.bottom().as_u64(),
        };
        // SAFETY: nobody finds the record before it is in the table, so the caller alone has it. The bounds are those of the
        // stack that the task will run on, and the reserve is its; the context lies in the record that it refers to.
        unsafe {
            self.faults.stack.set(bounds);
            self.faults.reserve.set(Some(reserve));
            *self.stack_pointer.get() = stack_pointer;
            *self.stack.get() = Some(stack);
            *self.start.get() = Some(start);
            *self.origin.get() = origin;
        }
    }

    /// The running task has more than its first frame on its stack from now on. For the outermost function of a task,
    /// before it enables interrupts.
    pub fn begin(&self, _right: Machinery) {
        self.began.store(true, Ordering::Release);
    }

    /// What the running task is to do; nothing the second time. For the outermost function of a task.
    pub fn take_start(&self, _right: Machinery) -> Option<Start> {
        // SAFETY: called by the task itself.
        unsafe { (*self.start.get()).take() }
    }

    /// Uses the stack of a task that may be running, unless it has ended. For a load that makes all thread-local areas
    /// grow: `work` is short and does not block.
    pub fn with_stack<R>(&self, _right: Machinery, work: impl FnOnce(&Stack) -> R) -> Option<R> {
        let _stay = PreemptGuard::new();
        // First the count, then the look at the state; its disposer does it the other way round (docs/memory-order.md, 4).
        self.stack_users.fetch_add(1, Ordering::SeqCst);
        // SAFETY: while users are counted the stack is not taken from a task that has not ended.
        let result = (self.state() != State::Ended).then(|| unsafe { (*self.stack.get()).as_ref() }.map(work));
        self.stack_users.fetch_sub(1, Ordering::SeqCst);
        result.flatten()
    }

    /// Notes that the running task ends because it wants to.
    pub fn set_exiting(&self, _right: Machinery) {
        self.exiting.set(true);
    }

    /// Whether the running task ends because it wants to.
    pub fn is_exiting(&self, _right: Machinery) -> bool {
        self.exiting.get()
    }

    /// Takes the stack from a task that has left its CPU for the last time, and what its code was part of, to be dropped
    /// after it.
    pub fn strip(&self, _right: Machinery) -> (Option<Stack>, Option<Origin>) {
        while self.stack_users.load(Ordering::SeqCst) != 0 {
            hint::spin_loop();
        }
        // SAFETY: the task has ended and is not busy, so nobody but its one disposer is left.
        unsafe { ((*self.stack.get()).take(), (*self.origin.get()).take()) }
    }

    /// Takes the destructor that is due next. For the running task at its end.
    pub fn next_destructor(&self, _right: Machinery) -> Option<Destructor> {
        // SAFETY: as in `Current::at_end`.
        unsafe {
            let list = &mut *self.destructors.get();
            let next = list.pop();
            if next.is_none() {
                drop(mem::take(list));
            }
            next
        }
    }

    /// Notes how the running task ended; the first word counts.
    pub fn conclude(&self, _right: Machinery, how: Result<(), Ended>) {
        self.ended.call_once(|| how);
    }

    /// Notes when an order to end is to be escalated, in ticks of the clock; `None` when that has been done. An order that
    /// is more urgent than an earlier one replaces it.
    pub fn set_grace_end(&self, _right: Machinery, ticks: Option<u64>) {
        match ticks {
            Some(ticks) => {
                let sooner = |noted| (noted == 0 || ticks < noted).then_some(ticks.max(1));
                // A later one leaves what is noted.
                let _kept = self.grace_end.fetch_update(Ordering::AcqRel, Ordering::Acquire, sooner);
            }
            None => self.grace_end.store(0, Ordering::Release),
        }
    }

    /// When the order to end is to be escalated, in ticks of the clock, if there is one and the task has not ended.
    pub fn grace_end(&self) -> Option<u64> {
        let ticks = self.grace_end.load(Ordering::Acquire);
        (ticks != 0 && self.ended().is_none()).then_some(ticks)
    }

    /// The running task will not run again once it has switched away.
    pub fn end(&self, _right: Machinery) {
        self.state.end();
    }

    /// Sets what becomes of the record; gives what was set before.
    pub fn dispose(&self, _right: Machinery, disposal: Disposal) -> Disposal {
        match self.disposal.swap(disposal as u8, Ordering::AcqRel) {
            0 => Disposal::Joinable,
            1 => Disposal::Detached,
            _ => Disposal::Ended,
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} ({}, {})", self.id, self.name(), self.state())
    }
}

/// Makes the reserve below a task's stack present. Takes no lock.
///
/// # Safety
/// `record` is that of a task that runs, so that its stack is there.
unsafe fn reveal_reserve(record: *const ()) {
    // SAFETY: the caller's promise.
    if let Some(reserve) = unsafe { &*record.cast::<Task>() }.reserve.get() {
        // SAFETY: the caller's promise.
        unsafe { reserve.reveal() };
    }
}

/// Takes the reserve below a task's stack away. If the processors cannot be told it stays until the stack is disposed of.
///
/// # Safety
/// `record` is that of the task that calls this, standing on the stack proper.
unsafe fn hide_reserve(record: *const ()) {
    // SAFETY: the caller's promise; nobody takes the stack of a task that runs.
    if let Some(stack) = unsafe { (*(*record.cast::<Task>()).stack.get()).as_ref() } {
        let _stays = stack.hide_reserve();
    }
}
