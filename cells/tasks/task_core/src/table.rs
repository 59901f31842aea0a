//! The table of all tasks.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use cpu_local::CpuSet;
use policy_interface::{MAX_TASKS, Priority, Slot};
use spin_lock::SpinLock;

use crate::id::TaskId;
use crate::machinery::Machinery;
use crate::reference::TaskRef;
use crate::role::Role;
use crate::task::Task;

/// Each occupied slot holds one strong reference to its task.
static TABLE: [AtomicPtr<Task>; MAX_TASKS] = [const { AtomicPtr::new(ptr::null_mut()) }; MAX_TASKS];

/// Held while slots are taken, given back or looked up by anybody but the scheduler.
static NUMBERS: SpinLock<Numbers> = SpinLock::new(Numbers { next: 1, occupied: 0 });

/// Numbers go round the table, so that small ones come first and none comes twice.
struct Numbers {
    next: u64,
    occupied: usize,
}

/// There are as many tasks as there can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskTableFull;

impl fmt::Display for TaskTableFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there are {MAX_TASKS} tasks already")
    }
}

impl core::error::Error for TaskTableFull {}

const fn slot_of(number: u64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is far below what any integer type holds")]
    let index = (number.wrapping_sub(1) % MAX_TASKS as u64) as usize;
    index
}

/// Makes a record with a place in the table that is its own; nobody finds it there before [`enter`].
pub fn create(
    _right: Machinery,
    name: &str,
    affinity: CpuSet,
    priority: Priority,
    role: Role,
) -> Result<Arc<Task>, TaskTableFull> {
    let (id, slot) = reserve().ok_or(TaskTableFull)?;
    Ok(Arc::new(Task::new(id, slot, name, affinity, priority, role)))
}

/// Lets everybody find the task, which has been equipped. It is not ready yet.
pub fn enter(_right: Machinery, task: &Arc<Task>) {
    let record = Arc::into_raw(Arc::clone(task)).cast_mut();
    let reserved = TABLE[task.slot().index()].swap(record, Ordering::Release);
    debug_assert!(ptr::eq(reserved, RESERVED), "a task is entered once, in its own place");
}

/// Gives back the place of a task that was not entered.
pub fn abandon(_right: Machinery, task: &Task) {
    let mut numbers = NUMBERS.lock();
    let reserved = TABLE[task.slot().index()].swap(ptr::null_mut(), Ordering::Relaxed);
    debug_assert!(ptr::eq(reserved, RESERVED), "a task that was entered is released");
    numbers.occupied -= 1;
}

/// A mark that is neither free nor a task.
const RESERVED: *mut Task = ptr::without_provenance_mut(1);

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

fn record(place: &AtomicPtr<Task>) -> Option<&'static Task> {
    let task = place.load(Ordering::Acquire);
    // SAFETY: what is neither null nor the mark is a record that the table keeps alive; callers hold the lock of
    // the table, or have another reason for the task not to be released.
    unsafe { if task == RESERVED { None } else { task.as_ref() } }
}

fn share(task: &Task) -> TaskRef {
    // SAFETY: the record is in an `Arc` that the table refers to, and the caller holds the table's lock.
    TaskRef::new(unsafe {
        Arc::increment_strong_count(task);
        Arc::from_raw(task)
    })
}

/// Takes an ended task, which is not busy any more, out of the table.
pub fn release(_right: Machinery, task: &Task) {
    let mut numbers = NUMBERS.lock();
    let entry = TABLE[task.slot().index()].swap(ptr::null_mut(), Ordering::AcqRel);
    numbers.occupied -= 1;
    drop(numbers);
    debug_assert!(ptr::eq(entry, task));
    // SAFETY: the table's own reference, which nobody else can take now.
    drop(unsafe { Arc::from_raw(entry) });
}

/// The task in a slot, found without a lock.
///
/// # Safety
/// The slot is occupied and stays so: the task is in a run queue, in a wait queue or in the timer queue, whose lock
/// the caller holds until it is done or has made itself responsible for the task.
#[inline]
pub unsafe fn by_slot(slot: Slot) -> &'static Task {
    // SAFETY: the caller's promise: the slot holds a record.
    unsafe { &*TABLE[slot.index()].load(Ordering::Acquire) }
}

/// The task with this number, while its record is in the table.
pub fn find(id: TaskId) -> Option<TaskRef> {
    let _numbers = NUMBERS.lock();
    record(&TABLE[slot_of(id.number())]).filter(|task| task.id() == id).map(share)
}

/// How many tasks there are, idle ones and those not yet disposed of included.
pub fn count() -> usize {
    NUMBERS.lock().occupied
}

/// All tasks, by number.
pub fn all() -> Vec<TaskRef> {
    loop {
        // Memory is not asked for under the lock, so there may be more tasks by the time that the lock is held.
        let mut tasks = Vec::with_capacity(count() + SPARE);
        let mut complete = true;
        visit(&mut |task| {
            if tasks.len() < tasks.capacity() {
                tasks.push(share(task));
            } else {
                complete = false;
            }
        });
        if complete {
            tasks.sort_unstable_by_key(TaskRef::id);
            return tasks;
        }
    }
}

/// Room for tasks made while the list of all is.
const SPARE: usize = 8;

/// Whether `address` lies in a task's record where nothing refers to a cell. What a value was moved over in memory may shine
/// through there, where it has no bytes of its own, for as long as the task lives. As [`visit`].
pub fn is_record(address: u64) -> bool {
    let mut is_record = false;
    visit(&mut |task| is_record |= task.is_record(address));
    is_record
}

/// Shows every task to `look`, with the table locked and interrupts off: it is short, takes no task lock and makes
/// or ends no task. What it is shown it cannot keep. Needs no memory; for the engine of evolution and for watchdogs.
pub fn visit(look: &mut dyn FnMut(&Task)) {
    let _numbers = NUMBERS.lock();
    TABLE.iter().filter_map(record).for_each(look);
}
