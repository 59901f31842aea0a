//! Keeps the last 64 faults: their kinds, places and costs, and the measures that were taken.
//!
//! Guarantees: a fault that is caught is in the log before another task sees the end of its task, also if looking for its
//! place faults in turn. Recording allocates nothing, for the fault may be that memory ran out. The function that is
//! set in [`LOCATE`] finds the place.
//!
//! Cannot fail; when the ring is full the oldest record goes. If the names of a place cannot be had when the fault is
//! caught (the task may have been changing the namespace), the place is looked up again when the record is read. A place
//! without names is a bare address.
#![no_std]

mod record;
mod ring;
mod text;

pub use record::{Action, FaultRecord, record};
pub use ring::{CAPACITY, count, get, records, set_action};
pub use text::Text;

use hook::Hook;

/// Finds the cell and the function to blame for a fault, from its trace, and enters them in the record. Allocates nothing
/// and does not wait. The unset hook knows no names.
pub static LOCATE: Hook<fn(&mut FaultRecord)> = Hook::new(|_record| {});
