//! The place to blame for a fault.
//!
//! It is the first frame outside the cells through which every fault passes. Where the fault was found by a cell on behalf
//! of its caller (no memory, a wait without end), the caller is to blame.

use fault_context::{FaultKind, Name};
use fault_log::{FaultRecord, Text};

/// The cells through which every fault passes, or in which the language finds it.
const MACHINERY: [&str; 6] = ["core", "alloc", "compiler_builtins", "panic", "unwinder", INJECTION];

/// The cells that find out, for their callers, that there is no memory or no end to a wait.
const INFORMERS: [&str; 13] = [
    "heap",
    "heap_core",
    "talc",
    "spin_lock",
    "mutex",
    "rwlock",
    "condition_variable",
    "rendezvous",
    "async_channel",
    "async_channel_core",
    "message",
    "task",
    "thread_locals",
];

/// The cell that makes faults on purpose, also in tasks that wait: the place where they wait is not to blame then.
const INJECTION: &str = "fault_injection";

/// The cells in which all waiting tasks stand.
const WAITING: [&str; 3] = ["wait_queue", "scheduler", "context_switch"];

/// How little the code in `cell` is to blame, from 0 for the culprit. `is_informed` if the fault is of a kind that is found
/// by a function that the culprit called. If no other cell is on the stack, the least innocent one is blamed.
fn innocence(cell: &str, is_informed: bool) -> u8 {
    if MACHINERY.contains(&cell) {
        3
    } else if !is_informed {
        0
    } else if WAITING.contains(&cell) {
        2
    } else {
        u8::from(INFORMERS.contains(&cell))
    }
}

/// Enters the cell, the function and the offset to blame, found from the record's trace: for [`fault_log::LOCATE`].
pub fn locate(record: &mut FaultRecord) {
    let is_informed = matches!(record.kind, FaultKind::Deadlock | FaultKind::OutOfMemory | FaultKind::Killed);
    let mut least = u8::MAX;
    let mut is_injected = false;
    let trace = record.trace;
    for address in trace.iter() {
        let Some(place) = namespace::location_of(address) else { continue };
        if place.cell() == INJECTION && !is_injected {
            // The frames further in were called on purpose.
            is_injected = true;
            least = u8::MAX;
        }
        let innocence = innocence(place.cell(), is_injected || is_informed);
        if innocence < least {
            least = innocence;
            record.cell = Name::new(place.cell());
            record.function = Text::of(format_args!("{:#}", rustc_demangle::demangle(place.symbol())));
            record.offset = place.offset;
        }
        if least == 0 {
            return;
        }
    }
}
