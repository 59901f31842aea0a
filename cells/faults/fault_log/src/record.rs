//! One fault: how it is recorded, and its line.

use core::fmt;
use core::time::Duration;

use fault_context::{FaultContext, FaultKind, Name, Trace};
use unwinder::{Caught, Detail};

use crate::text::Text;
use crate::{LOCATE, ring};

/// The measure that was taken after a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The task caught it itself and went on.
    Caught,
    /// The task was ended; the task that joins it is told.
    Ended,
    /// Its supervisor started it anew, for the given time in a row.
    Restarted(u32),
    /// Its supervisor gave up: it failed too often.
    GivenUp,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught => f.write_str("caught"),
            Self::Ended => f.write_str("ended"),
            Self::Restarted(1) => f.write_str("restarted"),
            Self::Restarted(times) => write!(f, "restarted ({times} in a row)"),
            Self::GivenUp => f.write_str("given up"),
        }
    }
}

/// One fault.
#[derive(Debug, Clone, Copy)]
pub struct FaultRecord {
    /// Its number since boot, from 0.
    pub number: u64,
    /// When it was dealt with.
    pub at: Duration,
    /// When it began, in ticks of the time stamp counter.
    pub began: u64,
    /// Its kind.
    pub kind: FaultKind,
    /// The task's number.
    pub task: u64,
    /// The task's name.
    pub task_name: Name,
    /// The cell to blame; empty if unknown.
    pub cell: Name,
    /// Its names are not looked for: that led to another fault.
    pub nameless: bool,
    /// The function to blame, demangled.
    pub function: Text,
    /// Where in the function; the bare address if the function is unknown.
    pub offset: u64,
    /// The address accessed, for page faults.
    pub address: u64,
    /// Bytes of the task's stack, without its reserve.
    pub stack_bytes: u64,
    /// The CPU on which it was caught.
    pub cpu: u32,
    /// Locks released and poisoned because their frame was lost.
    pub released_locks: u32,
    /// Frames passed without their landing pads.
    pub lost_frames: u32,
    /// Bytes of stack that those frames took.
    pub lost_bytes: u64,
    /// Bytes of the heap that the task took and that are not freed, if frames were lost.
    pub leaked_bytes: u64,
    /// Panics and faults that followed during the unwinding.
    pub nested: u32,
    /// Where the frames stood.
    pub trace: Trace,
    /// The measure that was taken.
    pub action: Action,
    /// How long it took from the fault until the task was unwound.
    pub microseconds: u64,
}

/// Enters a caught fault, in the context that caught it, unless it is entered already. The end of a task that ended itself,
/// or that was ended and lost nothing, is no fault.
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
        stack_bytes: context.stack_size(),
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
        LOCATE.get()(&mut record);
    }
    if ring::enter(&mut record) {
        announce(&record);
    }
}

/// The bytes that the task took and that are not freed. Where no frame was lost, every destructor ran and nothing is leaked:
/// the bytes that are left were given to others.
fn leaked_bytes(context: &FaultContext, caught: &Caught) -> u64 {
    if caught.lost_frames == 0 { 0 } else { context.heap_account.bytes() }
}

/// A fault is a warning: the system goes on. The end of a task that was asked for is news.
fn announce(record: &FaultRecord) {
    if record.kind == FaultKind::Killed {
        log::info!("{record}");
    } else {
        log::warn!("{record}");
    }
}

impl fmt::Display for FaultRecord {
    /// `fault NUMBER: KIND in task ID 'NAME' at CELL: FUNCTION+OFFSET; COSTS; MEASURE`, and where it helps a hint. Both the
    /// kernel's log and `fault log` show a fault like this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault {}: {} in task {} '{}'", self.number, self.kind, self.task, self.task_name)?;
        if self.cell == Name::EMPTY {
            write!(f, " at {:#x}", self.offset)?;
        } else {
            write!(f, " at {}: {}+{:#x}", self.cell, self.function, self.offset)?;
        }
        self.write_costs(f)?;
        self.write_measure(f)?;
        self.write_hint(f)
    }
}

impl FaultRecord {
    fn write_costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let costs = [
            (u64::from(self.released_locks), "lock", "released"),
            (u64::from(self.lost_frames), "frame", "lost"),
            (self.leaked_bytes, "byte", "leaked"),
        ];
        let mut separator = "; ";
        for (count, noun, fate) in costs.into_iter().filter(|(count, ..)| *count != 0) {
            let plural = if count == 1 { "" } else { "s" };
            write!(f, "{separator}{count} {noun}{plural} {fate}")?;
            separator = ", ";
        }
        if separator == "; " { f.write_str("; nothing lost") } else { Ok(()) }
    }

    fn write_measure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (microseconds, cpu) = (self.microseconds, self.cpu);
        match self.action {
            Action::Caught | Action::Ended => write!(f, "; {} in {microseconds} us on cpu{cpu}", self.action),
            // The time is that of the fault; the pause before a restart is no part of it.
            Action::Restarted(_) | Action::GivenUp => {
                write!(f, "; {} in {microseconds} us on cpu{cpu}, then {}", Action::Ended, self.action)
            }
        }
    }

    fn write_hint(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FaultKind::NullAccess | FaultKind::PageFault => write!(f, "; the access was to {:#x}", self.address),
            FaultKind::StackOverflow => write!(
                f,
                "; its stack has {} KiB: to give a task more, call `stack_size` of its `Builder`",
                self.stack_bytes / 1024
            ),
            _ => Ok(()),
        }
    }
}
