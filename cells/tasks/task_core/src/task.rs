//! One task's record.

use core::cell::Cell;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use cpu_local::{CpuId, CpuSet};
use fault_context::{FaultContext, Name, StackBounds};
use heap_accounts::Account;
use inheritance::Donations;
use policy_interface::{PolicyEntry, Priority, Slot};
use spin_lock::SpinLock;
use stacks::Stack;

use crate::body::{Body, Start, covers};
use crate::ended::Ended;
use crate::execution::Execution;
use crate::id::TaskId;
use crate::rights::{BlockCap, FaultCap, InheritCap, ScheduleCap, SpawnCap, WakeCap};
use crate::role::Role;
use crate::state::{State, Wake};

/// One task. Without a right its record only shows things.
pub struct Task {
    execution: Execution,
    /// The word of its policy entry, without the CPU.
    pub(crate) entry: AtomicU32,
    slot: Slot,
    /// Set before the task is in the table.
    thread_pointer: Cell<u64>,
    affinity: CpuSet,
    role: Role,
    id: TaskId,
    pub(crate) faults: FaultContext,
    pub(crate) donations: SpinLock<Donations>,
    pub(crate) body: Body,
}

// SAFETY: the thread pointer is written before the record is in the table, and only read afterwards. The plain cells of the
// fault context belong to the task itself: `faults` gives it to cells that keep to that (`FaultCap`), and what the methods
// here read of it is atomic, immutable, or set before the record is in the table. All other fields are `Sync`.
unsafe impl Sync for Task {}
// SAFETY: no field depends on the CPU or the task that holds the reference.
unsafe impl Send for Task {}

const _: () = assert!(policy_interface::MAX_TASKS <= heap_accounts::PLACES, "every task has an account of its own");

impl Task {
    pub(crate) fn new(id: TaskId, slot: Slot, name: &str, affinity: CpuSet, priority: Priority, role: Role) -> Self {
        let account = Account::open(slot.index());
        let faults = FaultContext::new(id.number(), Name::new(name), StackBounds { low: 0, high: 0 }, account);
        Self {
            execution: Execution::new(),
            entry: AtomicU32::new(PolicyEntry::new(slot, priority).word()),
            slot,
            thread_pointer: Cell::new(0),
            affinity,
            role,
            id,
            faults,
            donations: SpinLock::new(Donations::new()),
            body: Body::new(),
        }
    }

    /// Gives a new task its stack, its first stack pointer, and what it does.
    pub(crate) fn equip(&mut self, stack: Stack, stack_pointer: u64, start: Start) {
        self.thread_pointer.set(stack.thread_pointer().as_u64());
        self.execution.set_stack_pointer(stack_pointer);
        let bounds = StackBounds { low: stack.limit().as_u64(), high: stack.top().as_u64() };
        let reserve = self.body.equip(stack, start);
        // SAFETY: the bounds are those of the stack that the task will run on, the reserve is that stack's, and the context
        // lies in the same record as the body that the reserve refers to.
        unsafe {
            self.faults.stack.set(bounds);
            self.faults.reserve.set(Some(reserve));
        }
    }

    /// Whether `address` lies in the record, and in no field that may refer to a cell.
    pub(crate) fn is_record(&self, address: u64) -> bool {
        covers(self, address) && !self.body.may_refer_to_a_cell(address)
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
        self.execution.state.get(self.is_busy())
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
        self.execution.cpu()
    }

    /// The CPUs that it may run on.
    #[inline]
    pub fn affinity(&self) -> CpuSet {
        self.affinity
    }

    /// What the scheduling policy is told about it.
    #[inline]
    pub fn policy_entry(&self, cpu: CpuId) -> PolicyEntry {
        let entry = PolicyEntry::from_word(self.entry.load(Ordering::Relaxed));
        entry.unwrap_or(PolicyEntry::new(self.slot, Priority::LOWEST)).on(cpu.number())
    }

    /// The priority that it was given.
    pub fn priority(&self) -> Priority {
        self.policy_entry(CpuId::BOOT).base()
    }

    /// Timer ticks during which it ran.
    pub fn ticks(&self) -> u64 {
        self.execution.ticks()
    }

    /// How many times it got a CPU.
    pub fn switches(&self) -> u64 {
        self.execution.switches()
    }

    /// Bytes of the heap that it took and that are not freed yet.
    pub fn heap_bytes(&self) -> u64 {
        self.faults.heap_account.bytes()
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<Result<(), Ended>> {
        self.body.ended()
    }

    /// Whether it ever ran with interrupts enabled. Before that its stack holds its first frame only.
    pub fn has_begun(&self) -> bool {
        self.body.has_begun()
    }

    /// When an order to end is to be escalated, in ticks of the clock, if there is one and the task has not ended.
    pub fn grace_end(&self) -> Option<u64> {
        self.body.grace_end()
    }

    /// The holder of the lock that it waits for.
    pub fn waits_for(&self) -> Option<TaskId> {
        TaskId::new(self.faults.waits_for.load(Ordering::Acquire))
    }

    /// The addresses of its stack, reserve included.
    pub fn stack_bounds(&self) -> StackBounds {
        self.faults.stack.get()
    }

    /// Whether a CPU stands on its stack, or is only just leaving it.
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.execution.is_busy()
    }

    /// Where its registers lie (a `SwitchFrame`), while it has no CPU. Meaningful only as long as it is kept from running: all
    /// other CPUs are stopped, or its queue is locked.
    pub fn saved_stack_pointer(&self) -> Option<u64> {
        self.execution.saved_stack_pointer()
    }

    /// The value of FS while it runs; thread locals lie below it.
    #[inline]
    pub fn thread_pointer(&self) -> u64 {
        self.thread_pointer.get()
    }

    /// Why the task, which was blocked, runs again. For the task itself.
    #[inline]
    pub fn wake_reason(&self) -> Wake {
        self.execution.state.reason()
    }

    /// The part that the scheduler works with.
    #[inline]
    pub fn execution(&self, _right: ScheduleCap) -> &Execution {
        &self.execution
    }

    /// The part that making and ending tasks is about.
    pub fn body(&self, _right: SpawnCap) -> &Body {
        &self.body
    }

    /// What recovery knows about it. The plain cells in it are for the task itself.
    #[inline]
    pub fn faults(&self, _right: FaultCap) -> &FaultContext {
        &self.faults
    }

    /// Declares the running task blocked. It switches away next, with interrupts off all the while.
    #[inline]
    pub fn block(&self, _right: BlockCap) {
        self.execution.state.block();
    }

    /// Makes a blocked task ready; `true` for the one caller that then puts it in a run queue.
    #[inline]
    pub fn wake(&self, _right: WakeCap, why: Wake) -> bool {
        self.execution.state.wake(why)
    }

    /// Declares that the running task does not run again once it has switched away.
    pub fn end(&self, _right: SpawnCap) {
        self.execution.state.end();
    }

    /// Notes the new holder of the lock that a blocked task waits for.
    pub fn set_waits_for(&self, _right: InheritCap, holder: Option<TaskId>) {
        self.faults.waits_for.store(holder.map_or(0, TaskId::number), Ordering::Release);
    }

    /// Uses the stack of a task that may be running, unless it has ended. For a load that makes all thread-local areas grow:
    /// `work` is short and does not block.
    pub fn with_stack<R>(&self, _right: SpawnCap, work: impl FnOnce(&Stack) -> R) -> Option<R> {
        self.body.with_stack(|| self.state() == State::Ended, work)
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} ({}, {})", self.id, self.name(), self.state())
    }
}
