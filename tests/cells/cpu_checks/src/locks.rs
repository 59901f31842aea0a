//! That spin locks exclude, and that a lock that is lost is found.

use alloc::sync::Arc;
use alloc::vec::Vec;

use self_check::{CheckError, Outcome, expect, holds};
use spin_lock::{PreemptLock, SpinLock};
use task::{Builder, CpuSet};

const ROUNDS: u64 = 2000;

/// Each CPU adds to a number in two steps that a second holder would spoil.
fn count_together(add: impl Fn() + Clone + Send + 'static) -> Result<u64, CheckError> {
    let mut tasks = Vec::new();
    for cpu in smp::online().iter() {
        let add = add.clone();
        let body = move || (0..ROUNDS).for_each(|_| add());
        tasks.push(Builder::new().name("lock check").affinity(CpuSet::EMPTY.with(cpu)).spawn(body)?);
    }
    let count = tasks.len() as u64;
    let outcomes: Vec<_> = tasks.into_iter().map(|task| task.join()).collect();
    for outcome in outcomes {
        outcome?;
    }
    Ok(count * ROUNDS)
}

pub(crate) fn spin_lock_excludes() -> Outcome {
    let lock = Arc::new(SpinLock::new((0_u64, 0_u64)));
    let shared = lock.clone();
    let expected = count_together(move || {
        let mut pair = shared.lock();
        pair.0 += 1;
        pair.1 = pair.0;
    })?;
    let (first, second) = *lock.lock();
    expect("sum under a spin lock", first, expected)?;
    expect("its copy", second, expected)
}

pub(crate) fn preempt_lock_excludes() -> Outcome {
    let lock = Arc::new(PreemptLock::new(0_u64));
    let shared = lock.clone();
    let expected = count_together(move || *shared.lock() += 1)?;
    let sum = *lock.lock();
    expect("sum under a preempt lock", sum, expected)
}

/// A task panics with a lock held, after it has made sure that the lock's guard is not dropped.
pub(crate) fn lost_lock_is_poisoned() -> Outcome {
    let lock = Arc::new(PreemptLock::new(0_u64));
    let shared = lock.clone();
    let body = move || {
        core::mem::forget(shared.lock());
        panic!("the lock check loses a lock");
    };
    let ended: Result<(), _> = Builder::new().name("lost lock check").spawn(body)?.join();
    holds("the task ended by its panic", ended.is_err())?;
    holds("the lost lock is free", !lock.is_locked())?;
    holds("the lost lock is poisoned", lock.is_poisoned())
}

pub(crate) fn relock_is_refused() -> Outcome {
    let lock = Arc::new(SpinLock::new(()));
    let shared = lock.clone();
    let body = move || {
        let _held = shared.lock();
        let _again = shared.lock();
    };
    let ended = Builder::new().name("relock check").spawn(body)?.join();
    holds("taking a held lock again ends the task", ended.is_err())?;
    holds("the lock is free afterwards", !lock.is_locked())
}

pub(crate) fn ledger_follows_locks() -> Outcome {
    let body = || {
        let lock = PreemptLock::new(());
        let held = lock.lock();
        let during = cpu_local::ledger().depth();
        let owner = lock.holder();
        drop(held);
        (during, owner == Some(cpu_local::owner()), cpu_local::ledger().depth())
    };
    let (during, owned, after) = Builder::new().name("ledger check").spawn(body)?.join()?;
    expect("locks entered while one is held", u64::from(during), 1)?;
    holds("the lock's word names this task", owned)?;
    expect("locks entered afterwards", u64::from(after), 0)
}
