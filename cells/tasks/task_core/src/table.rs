//! The table of all tasks.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};

use cpu_local::CpuSet;
use policy_interface::{MAX_TASKS, Priority, Slot};
use spin_lock::SpinLock;
use stacks::Stack;

use crate::body::Start;
use crate::id::TaskId;
use crate::origin::Origin;
use crate::reference::TaskRef;
use crate::rights::SpawnCap;
use crate::role::Role;
use crate::state::State;
use crate::task::Task;

/// Each place is free (null), reserved for a new task ([`RESERVED`]), or holds one strong reference to its task.
static TABLE: [AtomicPtr<Task>; MAX_TASKS] = [const { AtomicPtr::new(ptr::null_mut()) }; MAX_TASKS];

/// Locked while slots are taken, given back or looked up, except by the scheduler ([`by_slot`]).
static NUMBERS: SpinLock<Numbers> = SpinLock::new(Numbers { next: 1, occupied: 0 });

/// A mark that is neither free nor a task.
const RESERVED: *mut Task = ptr::without_provenance_mut(1);

/// Room for tasks that are made while the list of all tasks is.
const SPARE: usize = 8;

/// Numbers go round the table, so that small ones come first and none comes twice.
struct Numbers {
    next: u64,
    occupied: usize,
}

/// The table has no place for another task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskTableFull;

impl fmt::Display for TaskTableFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there are {MAX_TASKS} tasks already")
    }
}

impl core::error::Error for TaskTableFull {}

/// A record that the table keeps alive, as long as the table is locked.
struct Entered<'a> {
    record: NonNull<Task>,
    locked: PhantomData<&'a Numbers>,
}

impl<'a> Entered<'a> {
    fn at(place: &AtomicPtr<Task>, _locked: &'a Numbers) -> Option<Self> {
        let record = NonNull::new(place.load(Ordering::Acquire)).filter(|record| record.as_ptr() != RESERVED)?;
        Some(Self { record, locked: PhantomData })
    }

    fn task(&self) -> &'a Task {
        // SAFETY: the place holds a strong reference to the record, and gives it up only with the table locked.
        unsafe { self.record.as_ref() }
    }

    fn share(&self) -> TaskRef {
        // SAFETY: as in `task`; the pointer came from `Arc::into_raw`.
        unsafe { share_record(self.record.as_ptr()) }
    }
}

/// # Safety
/// `record` came from `Arc::into_raw`, and a strong reference to it exists during the call.
unsafe fn share_record(record: *const Task) -> TaskRef {
    // SAFETY: the caller's promise.
    TaskRef::new(unsafe {
        Arc::increment_strong_count(record);
        Arc::from_raw(record)
    })
}

/// A reference to the task in a slot, without a lock.
///
/// # Safety
/// As for [`by_slot`].
pub(crate) unsafe fn share(slot: Slot) -> TaskRef {
    // SAFETY: the caller's promise: the slot holds a record.
    unsafe { share_record(TABLE[slot.index()].load(Ordering::Acquire)) }
}

const fn slot_of(number: u64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is far below what any integer type holds")]
    let index = (number.wrapping_sub(1) % MAX_TASKS as u64) as usize;
    index
}

/// A task that only its maker knows. It has a number and a place in the table, where it is not found yet. Dropped before it is
/// [entered](Self::enter), it gives them back.
#[derive(Debug)]
pub struct NewTask {
    /// `None` once the task is entered.
    record: Option<Arc<Task>>,
}

/// Makes the record of a task.
///
/// # Errors
/// [`TaskTableFull`], if there are [`MAX_TASKS`] tasks.
pub fn create(
    _right: SpawnCap,
    name: &str,
    affinity: CpuSet,
    priority: Priority,
    role: Role,
) -> Result<NewTask, TaskTableFull> {
    let (id, slot) = reserve().ok_or(TaskTableFull)?;
    Ok(NewTask { record: Some(Arc::new(Task::new(id, slot, name, affinity, priority, role))) })
}

impl NewTask {
    /// Gives the task its stack, its first stack pointer, and what it does.
    pub fn equip(&mut self, stack: Stack, stack_pointer: u64, start: Start) {
        if let Some(task) = self.record.as_mut().and_then(Arc::get_mut) {
            task.equip(stack, stack_pointer, start);
        }
    }

    /// Says where the task's code comes from, and whether only tasks from there can join it.
    pub fn set_origin(&mut self, origin: Origin, joined_from_within: bool) {
        if let Some(task) = self.record.as_mut().and_then(Arc::get_mut) {
            task.body.set_origin(origin, joined_from_within);
        }
    }

    /// Uses the stack that the task was equipped with.
    pub fn with_stack<R>(&self, work: impl FnOnce(&Stack) -> R) -> Option<R> {
        self.record.as_ref()?.body.with_stack(|| false, work)
    }

    /// Puts the task in its place in the table, where all find it. It is not ready yet. `None` if that was done before.
    pub fn enter(&mut self) -> Option<Arc<Task>> {
        let task = self.record.take()?;
        task.body.join_origin();
        let record = Arc::into_raw(Arc::clone(&task)).cast_mut();
        TABLE[task.slot().index()].store(record, Ordering::Release);
        Some(task)
    }
}

impl Drop for NewTask {
    fn drop(&mut self) {
        if let Some(task) = &self.record {
            let mut numbers = NUMBERS.lock();
            TABLE[task.slot().index()].store(ptr::null_mut(), Ordering::Relaxed);
            numbers.occupied -= 1;
        }
    }
}

fn reserve() -> Option<(TaskId, Slot)> {
    let mut numbers = NUMBERS.lock();
    if numbers.occupied == MAX_TASKS {
        return None;
    }
    loop {
        let number = numbers.next;
        numbers.next += 1;
        let place = &TABLE[slot_of(number)];
        if place.load(Ordering::Relaxed).is_null() {
            place.store(RESERVED, Ordering::Relaxed);
            numbers.occupied += 1;
            return Some((TaskId::new(number)?, Slot::new(slot_of(number))?));
        }
    }
}

/// Takes an ended task, which is not busy any more, out of the table.
///
/// # Panics
/// The task has not ended, is busy, or was taken out before.
pub fn release(_right: SpawnCap, task: &Task) {
    assert!(task.state() == State::Ended && !task.is_busy(), "{task:?} is disposed of while it can still run");
    let place = &TABLE[task.slot().index()];
    let record = ptr::from_ref(task).cast_mut();
    let mut numbers = NUMBERS.lock();
    let released = place.compare_exchange(record, ptr::null_mut(), Ordering::AcqRel, Ordering::Acquire);
    numbers.occupied -= usize::from(released.is_ok());
    drop(numbers);
    match released {
        // SAFETY: this is the table's own reference, which has just left the table.
        Ok(entry) => drop(unsafe { Arc::from_raw(entry) }),
        Err(_) => panic!("{task:?} is disposed of twice"),
    }
}

/// The task in a slot, found without a lock.
///
/// # Safety
/// The slot is occupied and stays so: the task is in a run queue, in a wait queue or in the timer queue, and
/// the caller holds the lock of that queue until it is done or has made itself responsible for the task.
#[inline]
pub unsafe fn by_slot(slot: Slot) -> &'static Task {
    // SAFETY: the caller's promise: the slot holds a record.
    unsafe { &*TABLE[slot.index()].load(Ordering::Acquire) }
}

/// The task with this number, while its record is in the table.
pub fn find(id: TaskId) -> Option<TaskRef> {
    let numbers = NUMBERS.lock();
    let entered = Entered::at(&TABLE[slot_of(id.number())], &numbers)?;
    (entered.task().id() == id).then(|| entered.share())
}

/// How many tasks there are, idle ones and those not yet disposed of included.
pub fn count() -> usize {
    NUMBERS.lock().occupied
}

/// All tasks, by number.
pub fn all() -> Vec<TaskRef> {
    loop {
        // The list gets its memory before the table is locked, so there may be more tasks by the time that it is.
        let mut tasks = Vec::with_capacity(count() + SPARE);
        if fill(&mut tasks) {
            tasks.sort_unstable_by_key(TaskRef::id);
            return tasks;
        }
    }
}

/// Adds all tasks to `list`, which takes no memory for that; `false` if they are more than it has room for.
fn fill(list: &mut Vec<TaskRef>) -> bool {
    let numbers = NUMBERS.lock();
    for entered in TABLE.iter().filter_map(|place| Entered::at(place, &numbers)) {
        if list.len() == list.capacity() {
            return false;
        }
        list.push(entered.share());
    }
    true
}

/// Whether `address` lies in a task's record where no field refers to a cell. A value that was moved over in memory may shine
/// through there, where the record has no bytes of its own, for as long as the task lives. As [`visit`].
pub fn is_record(address: u64) -> bool {
    let mut is_record = false;
    visit(&mut |task| is_record |= task.is_record(address));
    is_record
}

/// Shows every task to `look`, with the table locked and interrupts off: `look` is short, takes no task lock, and neither makes
/// nor ends a task. It cannot keep what it is shown. Needs no memory; for the engine of evolution and for watchdogs.
pub fn visit(look: &mut dyn FnMut(&Task)) {
    let numbers = NUMBERS.lock();
    TABLE.iter().filter_map(|place| Entered::at(place, &numbers)).for_each(|entered| look(entered.task()));
}
