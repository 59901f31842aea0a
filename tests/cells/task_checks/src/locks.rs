//! Mutex, reader-writer lock, condition variable.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::time::Duration;

use condition_variable::ConditionVariable;
use mutex::{Mutex, TryLockError};
use rwlock::RwLock;
use self_check::{CheckError, Outcome, eventually, expect, holds};
use spin_lock::SpinLock;
use task::{Builder, Ended, Joinable, Priority, State, TaskRef};

use crate::patience;

/// The error of a poisoned lock, which no check here expects.
pub(crate) const POISONED: CheckError = CheckError::Not("a lock is poisoned that nobody poisoned");

pub(crate) fn mutex_excludes() -> Outcome {
    let total = Arc::new(Mutex::new(0u64));
    let mut children = Vec::new();
    for _ in 0..8 {
        let total = Arc::clone(&total);
        children.push(task::spawn("adds", move || {
            for round in 0..200 {
                let Ok(mut total) = total.lock() else { return false };
                let seen = *total;
                if round % 16 == 0 {
                    task::yield_now();
                }
                *total = seen + 1;
            }
            true
        })?);
    }
    for child in children {
        holds("no lock is poisoned", child.join()?)?;
    }
    expect("additions of 8 tasks", *total.lock().map_err(|_| POISONED)?, 1600)
}

pub(crate) fn mutex_poisons() -> Outcome {
    let value = Arc::new(Mutex::new(1));
    let shared = Arc::clone(&value);
    let child = task::spawn("panics", move || {
        let mut guard = shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *guard = 2;
        panic!("as the check wants it");
    })?;
    holds("it panicked", matches!(child.join(), Err::<(), _>(Ended::Panicked(_))))?;
    match value.lock() {
        Ok(_) => return Err(CheckError::Not("a lock whose holder panicked is poisoned")),
        Err(poisoned) => expect("what it left", *poisoned.into_inner(), 2)?,
    }
    value.clear_poison();
    holds("poison can be cleared", value.lock().is_ok())
}

pub(crate) fn mutex_gives_up() -> Outcome {
    let value = Arc::new(Mutex::new(()));
    let guard = value.lock().map_err(|_| POISONED)?;
    let shared = Arc::clone(&value);
    let child = task::spawn("gives up", move || {
        let late = shared.lock_until(clock::now() + Duration::from_millis(10));
        matches!(late, Err(TryLockError::WouldBlock))
    })?;
    let gave_up = child.join();
    drop(guard);
    holds("waiting for a lock ends at the deadline", gave_up?)?;
    holds("the lock is free afterwards", value.try_lock().is_ok())
}

pub(crate) fn mutex_holder_inherits() -> Outcome {
    let value = Arc::new(Mutex::new(()));
    let guard = value.lock().map_err(|_| POISONED)?;
    let Some(me) = task::current() else { return Err(CheckError::Not("a check runs in a task")) };
    let me = me.share();
    let before = me.inherited_priority();
    let shared = Arc::clone(&value);
    let child = Builder::new().name("is urgent").priority(Priority::NORMAL).spawn(move || shared.lock().is_ok())?;
    let outcome = eventually("the holder inherits", || me.inherited_priority() == Priority::NORMAL);
    drop(guard);
    holds("the lock was had", child.join()?)?;
    outcome?;
    holds("nothing is inherited after the release", me.inherited_priority() == before)
}

/// When a mutex changes hands, the other waiting tasks wait for the new holder, and it inherits from them.
pub(crate) fn mutex_waiters_know_the_holder() -> Outcome {
    let value = Arc::new((Mutex::new(()), AtomicBool::new(false)));
    let guard = value.0.lock().map_err(|_| POISONED)?;
    let (first, second) = (Arc::clone(&value), Arc::clone(&value));
    let next = task::spawn("is next", move || {
        let guard = first.0.lock();
        let patience = patience();
        while !first.1.load(Ordering::Acquire) && clock::now() < patience {
            task::sleep(Duration::from_millis(1));
        }
        guard.is_ok()
    })?;
    let waits = |task: &TaskRef| task.waits_for().is_some() && task.state() == State::Blocked;
    let outcome = eventually("the first waits", || waits(&next.observe()));
    let last =
        Builder::new().name("is last").priority(Priority::NORMAL).spawn(move || second.0.lock().map(drop).is_ok())?;
    let outcome = outcome.and_then(|()| eventually("the second waits", || waits(&last.observe())));
    drop(guard);
    let outcome = outcome.and_then(|()| {
        eventually("the first has it", || value.0.holder() == Some(next.id()))?;
        eventually("the second knows", || last.observe().waits_for() == Some(next.id()))?;
        eventually("the first inherits", || next.observe().inherited_priority() == Priority::NORMAL)
    });
    value.1.store(true, Ordering::Release);
    let both = (next.join()?, last.join()?);
    holds("both had the lock", both == (true, true))?;
    outcome
}

/// A task that slept with a spin lock held would leave it to a CPU that waits for ever.
pub(crate) fn no_sleep_with_a_spin_lock() -> Outcome {
    let lock = Arc::new(SpinLock::new(()));
    let shared = Arc::clone(&lock);
    let child = task::spawn("sleeps with a lock", move || {
        let _guard = shared.lock();
        task::sleep(Duration::from_millis(1));
    })?;
    holds("it panicked", matches!(child.join(), Err(Ended::Panicked(_))))?;
    holds("the lock is free", !lock.is_locked())?;
    holds("and can be had", lock.try_lock().is_some())
}

pub(crate) fn kill_of_lock_waiter() -> Outcome {
    let value = Arc::new(Mutex::new(()));
    let guard = value.lock().map_err(|_| POISONED)?;
    let (first, second) = (Arc::clone(&value), Arc::clone(&value));
    let killed = task::spawn("is killed", move || drop(first.lock()))?;
    eventually("the first waits", || killed.observe().waits_for().is_some())?;
    let waits = task::spawn("waits", move || second.lock().is_ok())?;
    eventually("the second waits", || waits.observe().waits_for().is_some())?;
    // The release wakes the first, which is killed before it runs: the second must get the lock.
    drop(guard);
    killed.kill_capability().kill();
    let how = killed.join();
    holds("the other waiter has the lock", waits.join()?)?;
    holds("the first ended", how.is_ok() || how == Err(Ended::Killed))
}

pub(crate) fn rwlock_shares_and_excludes() -> Outcome {
    let value = Arc::new(RwLock::new((0u64, 0u64)));
    let readers_at_once = Arc::new(AtomicU32::new(0));
    let mut children = Vec::new();
    for number in 0..6 {
        let (value, together) = (Arc::clone(&value), Arc::clone(&readers_at_once));
        children.push(task::spawn("shares", move || {
            for _ in 0..50 {
                if number < 2 {
                    let Ok(mut both) = value.write() else { return false };
                    both.0 += 1;
                    task::yield_now();
                    both.1 += 1;
                } else {
                    let Ok(both) = value.read() else { return false };
                    if both.0 != both.1 {
                        return false;
                    }
                    together.fetch_add(1, Ordering::Relaxed);
                    task::yield_now();
                }
            }
            true
        })?);
    }
    for child in children {
        holds("readers see what writers finished", child.join()?)?;
    }
    expect("writes", value.read().map_err(|_| POISONED)?.0, 100)?;
    let (first, second) = (value.read().is_ok(), value.read().is_ok());
    holds("two can read", first && second)
}

pub(crate) fn condition_is_signalled() -> Outcome {
    let shared = Arc::new((Mutex::new(0u32), ConditionVariable::new()));
    let mut children: Vec<Joinable<bool>> = Vec::new();
    for _ in 0..3 {
        let shared = Arc::clone(&shared);
        children.push(task::spawn("waits", move || {
            let Ok(guard) = shared.0.lock() else { return false };
            shared.1.wait_while(guard, |value| *value == 0).is_ok_and(|value| *value == 7)
        })?);
    }
    let deadline = patience();
    *shared.0.lock().map_err(|_| POISONED)? = 7;
    shared.1.notify_all();
    for child in children {
        holds("the condition was seen", child.join()?)?;
    }
    holds("in time", clock::now() < deadline)
}

/// A wait with a deadline ends with it if no task signals, and before it if a task does; the mutex is locked again in
/// both cases.
pub(crate) fn condition_is_given_up() -> Outcome {
    let shared = Arc::new((Mutex::new(0u32), ConditionVariable::new()));
    let mut guard = shared.0.lock().map_err(|_| POISONED)?;
    let deadline = clock::now() + Duration::from_millis(20);
    // A waiting task may be woken for nothing, so the clock is asked, too.
    while clock::now() < deadline {
        guard = shared.1.wait_until(guard, deadline).map_err(|_| POISONED)?;
    }
    holds("the mutex is locked after the deadline", shared.0.holder().is_some())?;
    holds("nobody waits any more", !shared.1.notify_one())?;
    let signaller = {
        let shared = Arc::clone(&shared);
        task::spawn("signals", move || {
            let Ok(mut value) = shared.0.lock() else { return false };
            *value = 7;
            drop(value);
            shared.1.notify_one();
            true
        })?
    };
    let deadline = patience();
    while *guard == 0 && clock::now() < deadline {
        guard = shared.1.wait_until(guard, deadline).map_err(|_| POISONED)?;
    }
    expect("what was signalled", (*guard).into(), 7)?;
    holds("the mutex is locked after the signal", shared.0.holder().is_some())?;
    drop(guard);
    holds("the signal was given", signaller.join()?)
}
