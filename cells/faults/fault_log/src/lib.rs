//! Keeps what went wrong, where, what it cost and what was done about it: the last 64 faults.
//!
//! Guarantees: a fault that is caught is in the log before the task's end is seen by anybody, also if looking for its place
//! faults in turn; recording allocates nothing (the fault may be that memory ran out). The place is the first frame that is
//! not part of the machinery through which faults pass, with its cell, its demangled function and the offset in it.
//!
//! Cannot fail; when the ring is full the oldest record goes. A place whose names cannot be had when the fault is caught
//! (the task may have been changing the namespace) is looked up again when the record is read; one that has none is a
//! bare address.
#![no_std]

mod record;
mod text;

pub use record::{Action, FaultRecord};
pub use text::Text;

use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use fault_context::{FaultContext, FaultKind, Name};
use spin_lock::SpinLock;
use unwinder::{Caught, Detail};

/// Records that are kept.
pub const CAPACITY: usize = 64;

/// The cells through which every fault passes, or in which the language finds it; the code to blame called them.
const MACHINERY: [&str; 6] = ["core", "alloc", "compiler_builtins", "panic", "unwinder", INJECTION];

/// The cells that find out, for whoever called them, that there is no memory or no end to the waiting.
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
    "channel_state",
    "task",
    "thread_locals",
];

/// The cell that makes faults on purpose, in tasks that wait among others: where they wait is not to blame then.
const INJECTION: &str = "fault_injection";

/// The cells in which tasks wait for whatever it is.
const WAITING: [&str; 3] = ["wait_queue", "scheduler", "context_switch"];

/// How little the code in `cell` is to blame, from 0 for whoever did it. `informed` if the fault is one of those that are
/// found by whom the culprit called. If nobody else is on the stack, the blame is on the least innocent.
fn innocence(cell: &str, informed: bool) -> u8 {
    if MACHINERY.contains(&cell) {
        3
    } else if !informed {
        0
    } else if WAITING.contains(&cell) {
        2
    } else {
        u8::from(INFORMERS.contains(&cell))
    }
}

/// What is at an address.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The cell.
    pub cell: &'a str,
    /// The function's mangled name.
    pub function: &'a str,
    /// Bytes from the function's start.
    pub offset: u64,
}

/// Calls the second argument with what is at the address, if anything is; allocates nothing and does not wait.
pub type Resolver = fn(u64, &mut dyn FnMut(Place<'_>));

static RESOLVER: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static RING: SpinLock<Ring> = SpinLock::new(Ring { records: [const { None }; CAPACITY], next: 0 });

struct Ring {
    records: [Option<FaultRecord>; CAPACITY],
    /// The number of the next record.
    next: u64,
}

impl Ring {
    /// Gives the record its number and keeps it, unless there is one of the same fault. Whether it was kept.
    fn enter(&mut self, record: &mut FaultRecord) -> bool {
        let is_same = |other: &FaultRecord| (other.task, other.began) == (record.task, record.began);
        if self.records.iter().flatten().any(is_same) {
            return false;
        }
        record.number = self.next;
        self.next += 1;
        self.records[slot_of(record.number)] = Some(*record);
        true
    }
}

/// Where the record with this number is kept.
#[allow(clippy::cast_possible_truncation, reason = "the remainder is below the capacity")]
const fn slot_of(number: u64) -> usize {
    (number % CAPACITY as u64) as usize
}

/// Sets who knows what is at an address; gives who knew it before.
pub fn set_resolver(resolver: Option<Resolver>) -> Option<Resolver> {
    let resolver = resolver.map_or(ptr::null_mut(), |resolver| resolver as *mut ());
    resolver_at(RESOLVER.swap(resolver, Ordering::AcqRel))
}

fn resolver_at(resolver: *mut ()) -> Option<Resolver> {
    // SAFETY: only `set_resolver` stores in `RESOLVER`, and what it stores is null or of this type.
    (!resolver.is_null()).then(|| unsafe { mem::transmute::<*mut (), Resolver>(resolver) })
}

/// Calls `visit` with what is at `address`.
pub fn resolve(address: u64, visit: &mut dyn FnMut(Place<'_>)) {
    if let Some(resolver) = resolver_at(RESOLVER.load(Ordering::Acquire)) {
        resolver(address, visit);
    }
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
        // When it was caught the names were not to be had; now they may be.
        locate(&mut record);
    }
    Some(record)
}

/// The records that are kept, oldest first. Each is taken when it is asked for, so the log is never locked for long.
pub fn records() -> impl Iterator<Item = FaultRecord> {
    let next = count();
    (next.saturating_sub(CAPACITY as u64)..next).filter_map(get)
}

/// Notes what was done about the fault that ended `task`, and how long it took from the fault on, in microseconds.
pub fn set_action(task: u64, action: Action, microseconds: Option<u64>) {
    let mut ring = RING.lock();
    let ended = |record: &&mut FaultRecord| record.task == task && record.action != Action::Caught;
    // What ends a task comes first; a later one is a fault in dealing with that.
    if let Some(record) = ring.records.iter_mut().flatten().filter(ended).min_by_key(|record| record.number) {
        record.action = action;
        if let Some(microseconds) = microseconds {
            record.microseconds = microseconds;
        }
    }
}

/// Enters what was caught, in the context that caught it, unless it is entered already. A task that ended itself, or that was
/// ended and lost nothing, is no fault.
pub fn record(context: &FaultContext, caught: &Caught, detail: Detail) {
    let is_end = matches!(caught.cause.kind, FaultKind::Exit | FaultKind::Killed);
    if is_end && caught.lost_frames == 0 && caught.nested == 0 && caught.released_locks == 0 {
        log::debug!("task {} '{}' {}", context.task, context.name, caught.cause.kind);
        return;
    }
    let trace = context.trace.get();
    let mut record = FaultRecord {
        number: 0,
        at: clock::since_boot(),
        began: caught.began,
        kind: caught.cause.kind,
        task: context.task,
        task_name: context.name,
        cell: Name::EMPTY,
        nameless: detail == Detail::Least,
        function: Text::EMPTY,
        offset: trace.iter().next().unwrap_or(0),
        address: caught.cause.address,
        cpu: cpu_local::cpu_id().number(),
        released_locks: caught.released_locks,
        lost_frames: caught.lost_frames,
        lost_bytes: caught.lost_bytes,
        leaked_bytes: leaked_bytes(context, caught),
        nested: caught.nested,
        trace,
        action: if caught.at_root { Action::Ended } else { Action::Caught },
        microseconds: caught.ticks / clock::ticks_per_microsecond().max(1),
    };
    if !record.nameless {
        locate(&mut record);
    }
    let is_new = RING.lock().enter(&mut record);
    if is_new {
        announce(&record);
    }
}

/// What the task took and nobody has freed. Where no frame was lost, every destructor ran and nothing is leaked: what is left was
/// given to others.
fn leaked_bytes(context: &FaultContext, caught: &Caught) -> u64 {
    if caught.lost_frames == 0 { 0 } else { context.heap_account.bytes() }
}

/// Finds whom to blame.
fn locate(record: &mut FaultRecord) {
    let trace = record.trace;
    let mut least = u8::MAX;
    let mut injected = false;
    for address in trace.iter() {
        resolve(address, &mut |place| {
            if place.cell == INJECTION && !injected {
                // Whoever came before was called on purpose.
                injected = true;
                least = u8::MAX;
            }
            let informed = matches!(record.kind, FaultKind::Deadlock | FaultKind::OutOfMemory | FaultKind::Killed);
            let innocence = innocence(place.cell, injected || informed);
            if innocence < least {
                least = innocence;
                record.cell = Name::new(place.cell);
                record.function = Text::of(format_args!("{:#}", rustc_demangle::demangle(place.function)));
                record.offset = place.offset;
            }
        });
        if least == 0 {
            return;
        }
    }
}

fn announce(record: &FaultRecord) {
    if record.kind == FaultKind::Killed {
        log::info!("{record}");
    } else {
        log::warn!("{record}");
    }
}
