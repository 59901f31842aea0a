//! The work that goes on while a swap is prepared.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cpu_local::CpuSet;
use replacement::Goal;
use self_check::{Companion, Outcome, holds};
use task::Builder;

/// A cell to which all others refer: nothing takes longer to prepare.
const LARGE: &str = "core";

/// The scheduler changes to another task at the end of a hold of the namespace, however long it was. More often it does so only
/// between holds.
const TURNS: u64 = 3;

/// A task that shares the CPU with the one that prepares a swap has several turns meanwhile.
pub(crate) fn others_run() -> Outcome {
    let here = CpuSet::EMPTY.with(cpu_local::cpu_id());
    let (turns, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let share = {
        let (turns, done) = (Arc::clone(&turns), Arc::clone(&done));
        move || {
            while !done.load(Ordering::Relaxed) {
                turns.fetch_add(1, Ordering::Relaxed);
                task::yield_now();
            }
        }
    };
    let other: Companion<_> = Builder::new().name("check: other").affinity(here).spawn(share)?.into();
    let prepare = move || {
        let before = turns.load(Ordering::Relaxed);
        let prepared = replacement::prepare(Goal::Fresh(LARGE)).map(drop);
        let after = turns.load(Ordering::Relaxed);
        done.store(true, Ordering::Relaxed);
        prepared.map(|()| after - before)
    };
    let preparer: Companion<_> = Builder::new().name("check: prepares").affinity(here).spawn(prepare)?.into();
    let prepared = preparer.join()?;
    other.join()?;
    holds("the other task ran all the while", prepared? >= TURNS)
}
