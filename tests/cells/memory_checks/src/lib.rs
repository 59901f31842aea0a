//! Checks of the memory of the running system: that it is as it must be, and that it does what it promises.
//!
//! Each of [`CHECKS`] leaves memory as it found it and may be run at any time, under load, on any CPU; counts that others change
//! meanwhile are compared only where that cannot matter. A failed check names the found and the expected value.
#![no_std]

extern crate alloc;

mod audit;
mod disturbing_checks;
mod heap_checks;
mod mapping_checks;
mod ownership;

use self_check::{Check, CheckError};

pub use audit::{Audit, audit};

/// All checks.
pub const CHECKS: &[Check] = &[
    Check::new("no page and no frame is writable and executable", audit::write_or_execute),
    Check::new("no range is in quarantine", audit::no_quarantine),
    Check::new("frames come back when a mapping is dropped", ownership::frames_come_back),
    Check::new("frames and pages have one owner", ownership::one_owner),
    Check::new("running out of frames is an error", ownership::exhaustion),
    Check::new("memory of the system is not mapped as a device", ownership::no_foreign_alias),
    Check::new("rights change and bytes stay", mapping_checks::rights),
    Check::new("an unmapped page is not translated", mapping_checks::unmapped),
    Check::new("code moves from its alias to its place", mapping_checks::code_moves),
    Check::new("views are checked", mapping_checks::views),
    Check::new("a page of code is exchanged and back", mapping_checks::replacement),
    Check::new("a stack has guard, reserve and thread locals", mapping_checks::stack),
    Check::new("a stack begins empty, whoever had it before", mapping_checks::stack_begins_empty),
    Check::new("heap blocks are apart and come back", heap_checks::churn),
    Check::new("an impossible allocation is null", heap_checks::impossible),
    Check::new("the heap grows and is trimmed", heap_checks::grow_and_trim),
    Check::new("the heap grows by clean pages", heap_checks::clean_when_it_grows),
    Check::new("nothing is left where a block is cut off", heap_checks::clean_when_cut),
];

/// Checks that disturb: a CPU is silent for seconds (with one CPU there is nothing to check), the heap is damaged (its
/// blocks are lost for ever when they are freed). The system goes on, but not as if nothing had been.
pub const DISTURBING_CHECKS: &[Check] = &[
    Check::new("what a silent CPU may remember is not used again", disturbing_checks::silent_cpu),
    Check::new("a damaged heap is set aside", disturbing_checks::damaged_heap),
    Check::new("heap blocks are apart and come back afterwards", heap_checks::churn),
];

/// Fails if `outcome` is a success.
fn refused<T, E>(what: &'static str, outcome: Result<T, E>) -> Result<E, CheckError> {
    match outcome {
        Ok(_) => Err(CheckError::NotRefused(what)),
        Err(error) => Ok(error),
    }
}
