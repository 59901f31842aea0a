//! Locks whose holder faults.

use alloc::sync::Arc;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use fault_context::FaultKind;
use mutex::Mutex;
use spin_lock::SpinLock;

use crate::{CheckError, ended_of, equal};

/// Faults in a frame that holds the lock itself, so that the guard is lost.
#[inline(always)]
fn fault_here() {
    // SAFETY: not sound, and meant to fault; nothing is read.
    unsafe {
        core::arch::asm!("mov {out}, [{address}]", out = out(reg) _, address = in(reg) 16u64, options(nostack, readonly))
    };
}

pub(crate) fn spin_lock() -> Result<(), CheckError> {
    let lock = Arc::new(SpinLock::new(1u64));
    let inner = Arc::clone(&lock);
    let task = task::spawn("check: spin lock", move || {
        let mut guard = inner.lock();
        *guard += 1;
        fault_here();
        black_box(&guard);
    })?;
    ended_of(task.join(), FaultKind::NullAccess)?;
    equal("the lock is poisoned", u64::from(lock.is_poisoned()), 1)?;
    equal("the lock can be had", lock.try_lock().map_or(0, |value| *value), 2)
}

pub(crate) fn mutex() -> Result<(), CheckError> {
    let lock = Arc::new(Mutex::new(1u64));
    let inner = Arc::clone(&lock);
    let task = task::spawn("check: mutex", move || {
        let mut guard = inner.lock();
        if let Ok(value) = &mut guard {
            **value += 1;
        }
        fault_here();
        black_box(guard.is_ok());
    })?;
    ended_of(task.join(), FaultKind::NullAccess)?;
    equal("the mutex is poisoned", u64::from(lock.is_poisoned()), 1)?;
    let value = lock.lock().map_or_else(|poisoned| *poisoned.into_inner(), |guard| *guard);
    equal("the value behind it", value, 2)
}

pub(crate) fn panic_poisons_mutex() -> Result<(), CheckError> {
    let lock = Arc::new(Mutex::new(()));
    let inner = Arc::clone(&lock);
    let task = task::spawn("check: panic with mutex", move || {
        let guard = inner.lock();
        panic!("as the check wants, {}", guard.is_ok());
    })?;
    ended_of(task.join(), FaultKind::Panic)?;
    equal("the mutex is poisoned", u64::from(lock.is_poisoned()), 1)?;
    equal("the mutex is free", u64::from(lock.holder().is_none()), 1)
}

/// The lost guard's count must not stay with the CPU.
pub(crate) fn preemption() -> Result<(), CheckError> {
    let task = task::spawn("check: preemption", || {
        let caught = unwinder::catch(|| {
            let guard = cpu_local::PreemptGuard::new();
            fault_here();
            black_box(&guard);
        });
        caught.is_err() && cpu_local::preemption_enabled() && cpu_local::interrupts_enabled()
    })?;
    equal("preemption is on", u64::from(task.join().unwrap_or(false)), 1)
}

/// Two tasks lock two mutexes in opposite order. One of them is ended, the other gets what it waits for.
pub(crate) fn circle() -> Result<(), CheckError> {
    let mutexes = Arc::new((Mutex::new(()), Mutex::new(())));
    let ready = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
    let spawn = |name, second: bool| {
        let (mutexes, ready) = (Arc::clone(&mutexes), Arc::clone(&ready));
        task::spawn(name, move || {
            let (mine, theirs) = if second { (&mutexes.1, &mutexes.0) } else { (&mutexes.0, &mutexes.1) };
            let _mine = mine.lock();
            ready[usize::from(second)].store(true, Ordering::SeqCst);
            while !ready.iter().all(|ready| ready.load(Ordering::SeqCst)) {
                task::sleep(Duration::from_millis(1));
            }
            theirs.lock().is_err()
        })
    };
    let first = spawn("check: circle 1", false)?;
    let second = match spawn("check: circle 2", true) {
        Ok(second) => second,
        Err(error) => {
            first.kill_capability().kill();
            first.detach();
            return Err(error.into());
        }
    };
    let (first, second) = (first.join(), second.join());
    ended_of(second, FaultKind::Deadlock)?;
    equal("the other found the mutex poisoned", u64::from(first.unwrap_or(false)), 1)
}
