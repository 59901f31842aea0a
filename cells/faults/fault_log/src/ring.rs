//! The last records, in a ring.

use fault_context::Name;
use spin_lock::SpinLock;

use crate::LOCATE;
use crate::record::{Action, FaultRecord};

/// Records that are kept.
pub const CAPACITY: usize = 64;

static RING: SpinLock<Ring> = SpinLock::new(Ring { records: [const { None }; CAPACITY], next: 0 });

struct Ring {
    records: [Option<FaultRecord>; CAPACITY],
    /// The number of the next record.
    next: u64,
}

/// Where the record with this number is kept.
#[allow(clippy::cast_possible_truncation, reason = "the remainder is below the capacity")]
const fn slot_of(number: u64) -> usize {
    (number % CAPACITY as u64) as usize
}

/// Gives the record its number and keeps it, unless there is one of the same fault. Whether it was kept.
pub(crate) fn enter(record: &mut FaultRecord) -> bool {
    let mut ring = RING.lock();
    let is_same = |other: &FaultRecord| (other.task, other.began) == (record.task, record.began);
    if ring.records.iter().flatten().any(is_same) {
        return false;
    }
    record.number = ring.next;
    ring.next += 1;
    ring.records[slot_of(record.number)] = Some(*record);
    true
}

/// Faults since boot, kept or not.
pub fn count() -> u64 {
    RING.lock().next
}

/// The record with this number (they are numbered from 0), if it is still kept.
pub fn get(number: u64) -> Option<FaultRecord> {
    let kept = RING.lock().records[slot_of(number)];
    let mut record = kept.filter(|record| record.number == number)?;
    if record.cell == Name::EMPTY && !record.nameless {
        // When the fault was caught the names were not to be had; now they may be.
        LOCATE.get()(&mut record);
    }
    Some(record)
}

/// The records that are kept, oldest first. Each is taken when it is asked for, so the log is never locked for long.
pub fn records() -> impl Iterator<Item = FaultRecord> {
    let next = count();
    (next.saturating_sub(CAPACITY as u64)..next).filter_map(get)
}

/// Notes the measure that was taken after the fault that ended `task`.
pub fn set_action(task: u64, action: Action) {
    let mut ring = RING.lock();
    let ended = |record: &&mut FaultRecord| record.task == task && record.action != Action::Caught;
    // The fault that ends a task comes first; a later one is a fault in dealing with that.
    if let Some(record) = ring.records.iter_mut().flatten().filter(ended).min_by_key(|record| record.number) {
        record.action = action;
    }
}
