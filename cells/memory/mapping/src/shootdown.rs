//! Making every CPU forget a range.

use core::fmt;

use addresses::PageRange;
use cpu_local::{CpuSet, PreemptGuard};
use hook::Hook;

use crate::hardware;

/// Some CPUs did not say in time that they have forgotten a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShootdownTimeout {
    /// Which CPUs.
    pub silent: CpuSet,
}

impl fmt::Display for ShootdownTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer to a TLB shootdown from CPUs {:#b}", self.silent.bits())
    }
}

impl core::error::Error for ShootdownTimeout {}

/// Makes all *other* CPUs forget the range, and returns when they have; waits at most a bounded time. Before the hook is
/// set there are no others.
pub static SHOOTDOWN: Hook<fn(PageRange) -> Result<(), ShootdownTimeout>> = Hook::new(|_range| Ok(()));

/// Makes all CPUs forget the range.
pub(crate) fn forget(pages: PageRange) -> Result<(), ShootdownTimeout> {
    // "This CPU" and "the others" must mean the same until all have been told.
    let _stay = PreemptGuard::new();
    hardware::forget_here(pages);
    if pages.is_empty() { Ok(()) } else { SHOOTDOWN.get()(pages) }
}
