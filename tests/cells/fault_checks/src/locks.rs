//! Locks with a holder that faults.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;

use fault_context::FaultKind;
use mutex::Mutex;
use rwlock::RwLock;
use self_check::{CheckError, Outcome, eventually, expect, holds};
use spin_lock::SpinLock;
use task::Joinable;

use crate::ended_of;

/// Faults in a frame that holds the lock itself, so that the guard is lost.
#[inline(always)]
fn fault_here() {
    // SAFETY: not sound, and meant to fault; nothing is read.
    unsafe {
        core::arch::asm!("mov {out}, [{address}]", out = out(reg) _, address = in(reg) 16u64, options(nostack, readonly))
    };
}

/// Has a task fault in `hold`, which adds 1 to the 1 behind the lock that it has taken: the lock must be poisoned, and `value`
/// must get at the value behind it.
fn poisoned<L: Send + Sync + 'static>(
    lock: L,
    hold: fn(&L),
    is_poisoned: fn(&L) -> bool,
    value: fn(&L) -> Option<u64>,
) -> Result<Arc<L>, CheckError> {
    let lock = Arc::new(lock);
    let inner = Arc::clone(&lock);
    let task = task::spawn("check: holds", move || hold(&inner))?;
    ended_of(task.join(), FaultKind::NullAccess)?;
    holds("the lock is poisoned", is_poisoned(&lock))?;
    expect("the value behind it", value(&lock).ok_or(CheckError::Missing("the lock, free"))?, 2)?;
    Ok(lock)
}

pub(crate) fn spin_lock() -> Outcome {
    let hold = |lock: &SpinLock<u64>| {
        let mut guard = lock.lock();
        *guard += 1;
        fault_here();
        black_box(&guard);
    };
    poisoned(SpinLock::new(1), hold, SpinLock::is_poisoned, |lock| lock.try_lock().map(|value| *value)).map(drop)
}

pub(crate) fn mutex() -> Outcome {
    let hold = |lock: &Mutex<u64>| {
        let mut guard = lock.lock();
        if let Ok(value) = &mut guard {
            **value += 1;
        }
        fault_here();
        black_box(guard.is_ok());
    };
    let value = |lock: &Mutex<u64>| lock.lock().err().map(|poisoned| *poisoned.into_inner());
    poisoned(Mutex::new(1), hold, Mutex::is_poisoned, value).map(drop)
}

pub(crate) fn panic_poisons_mutex() -> Outcome {
    let lock = Arc::new(Mutex::new(()));
    let inner = Arc::clone(&lock);
    let task = task::spawn("check: panic with mutex", move || {
        let guard = inner.lock();
        panic!("as the check wants, {}", guard.is_ok());
    })?;
    ended_of(task.join(), FaultKind::Panic)?;
    expect("the mutex is poisoned", u64::from(lock.is_poisoned()), 1)?;
    expect("the mutex is free", u64::from(lock.holder().is_none()), 1)
}

/// The lost guard's count must not stay with the CPU.
pub(crate) fn preemption() -> Outcome {
    let task = task::spawn("check: preemption", || {
        let body = || {
            let guard = cpu_local::PreemptGuard::new();
            fault_here();
            black_box(&guard);
        };
        // SAFETY: the body takes no lock.
        let caught = unsafe { unwinder::catch(body) };
        caught.is_err() && cpu_local::preemption_enabled() && cpu_local::interrupts_enabled()
    })?;
    expect("preemption is on", u64::from(task.join().unwrap_or(false)), 1)
}

pub(crate) fn rwlock_writer() -> Outcome {
    let hold = |lock: &RwLock<u64>| {
        let mut guard = lock.write();
        if let Ok(value) = &mut guard {
            **value += 1;
        }
        fault_here();
        black_box(guard.is_ok());
    };
    let value = |lock: &RwLock<u64>| lock.write().err().map(|poisoned| *poisoned.into_inner());
    let lock = poisoned(RwLock::new(1), hold, RwLock::is_poisoned, value)?;
    holds("readers are warned", lock.read().is_err())?;
    lock.clear_poison();
    holds("the lock is as new", lock.read().is_ok() && lock.write().is_ok())
}

pub(crate) fn rwlock_reader() -> Outcome {
    let lock = Arc::new(RwLock::new(1u64));
    let inner = Arc::clone(&lock);
    let task = task::spawn("check: read", move || {
        let guard = inner.read();
        fault_here();
        black_box(guard.is_ok());
    })?;
    ended_of(task.join(), FaultKind::NullAccess)?;
    expect("others can write", u64::from(lock.write().is_ok()), 1)
}

pub(crate) fn upgrade() -> Outcome {
    let task = task::spawn("check: upgrade", || {
        let lock = RwLock::new(());
        let _reading = lock.read();
        lock.write().is_ok()
    })?;
    ended_of(task.join(), FaultKind::Deadlock)
}

/// A lock of either kind, which can be held until the function that is passed has run.
enum Lock {
    Mutex(Mutex<()>),
    ReaderWriter(Box<RwLock<()>>),
}

impl Lock {
    /// Runs `held` with the lock held; whether the lock was sound.
    fn hold(&self, read: bool, held: impl FnOnce()) -> bool {
        match self {
            Self::Mutex(mutex) => {
                let guard = mutex.lock();
                held();
                guard.is_ok()
            }
            Self::ReaderWriter(lock) if read => {
                let guard = lock.read();
                held();
                guard.is_ok()
            }
            Self::ReaderWriter(lock) => {
                let guard = lock.write();
                held();
                guard.is_ok()
            }
        }
    }
}

/// As many tasks as locks: each takes its own, waits until all have done so, and then takes the next one's. The youngest is
/// ended, the others get the locks that they wait for. With `read` the first lock of each is held to read, if it can be.
fn circle(locks: Vec<Lock>, read: bool) -> Outcome {
    let count = locks.len();
    let (locks, taken) = (Arc::new(locks), Arc::new(AtomicUsize::new(0)));
    let mut members: Vec<Joinable<bool>> = Vec::new();
    for index in 0..count {
        let (locks, taken) = (Arc::clone(&locks), Arc::clone(&taken));
        let spawned = task::spawn("check: circle", move || {
            let mut sound = false;
            locks[index].hold(read, || {
                taken.fetch_add(1, Ordering::SeqCst);
                while taken.load(Ordering::SeqCst) < count {
                    task::sleep(Duration::from_millis(1));
                }
                sound = locks[(index + 1) % count].hold(false, || ());
            });
            sound
        });
        match spawned {
            Ok(member) => members.push(member),
            Err(error) => {
                for member in members {
                    member.kill_capability().kill();
                    member.detach();
                }
                return Err(error.into());
            }
        }
    }
    let mut ends: Vec<_> = members.into_iter().map(Joinable::join).collect();
    ended_of(ends.pop().ok_or(CheckError::Missing("a member"))?, FaultKind::Deadlock)?;
    // The last but one waited for the youngest's lock: poisoned, unless it was held to read.
    let warned = ends.pop().ok_or(CheckError::Missing("a second member"))?;
    expect(
        "the task that waited for the ended one has the lock",
        u64::from(warned.is_ok_and(|sound| sound == read)),
        1,
    )?;
    let others = ends.len() as u64;
    let served: u64 = ends.into_iter().map(|end| u64::from(end.is_ok_and(|sound| sound))).sum();
    expect("others that got what they waited for", served, others)
}

pub(crate) fn mutex_circle() -> Outcome {
    circle((0..2).map(|_| Lock::Mutex(Mutex::new(()))).collect(), false)
}

/// Each reads one lock and wants to write the other's; then the same with writers only.
pub(crate) fn rwlock_circle() -> Outcome {
    circle((0..2).map(|_| Lock::ReaderWriter(Box::default())).collect(), true)?;
    circle((0..2).map(|_| Lock::ReaderWriter(Box::default())).collect(), false)
}

pub(crate) fn long_circle() -> Outcome {
    let reader_writer = || Lock::ReaderWriter(Box::default());
    circle(vec![Lock::Mutex(Mutex::new(())), reader_writer(), Lock::Mutex(Mutex::new(()))], false)
}

/// An inner catch gives back the locks of the frames that it lost, and no others.
pub(crate) fn caught_locks() -> Outcome {
    let locks = Arc::new((Mutex::new(()), Mutex::new(()), SpinLock::new(())));
    let inner = Arc::clone(&locks);
    let task = task::spawn("check: caught locks", move || {
        let outer = inner.0.lock();
        let body = || {
            let guards = (inner.1.lock(), inner.2.lock());
            fault_here();
            black_box(&guards);
        };
        // SAFETY: the body keeps its guards in its own frame.
        let caught = unsafe { unwinder::catch(body) };
        let released = caught.err().map_or(0, |caught| caught.released_locks);
        let is_kept = inner.0.holder() == task::current().map(|task| task.id()) && outer.is_ok();
        (released, is_kept, inner.1.is_poisoned(), inner.1.lock().is_err(), inner.2.try_lock().is_some())
    })?;
    let (released, is_kept, is_poisoned, is_had, is_free) = task.join().unwrap_or_default();
    expect("locks released", released.into(), 2)?;
    expect("the outer lock is still held", u64::from(is_kept), 1)?;
    expect("the inner mutex is poisoned and can be had", u64::from(is_poisoned && is_had), 1)?;
    expect("the spin lock can be had", u64::from(is_free), 1)?;
    expect("the outer mutex is not poisoned", u64::from(locks.0.is_poisoned()), 0)
}

/// Notes, when it is dropped, how many locks the task's ledger names.
struct NotesLocks(Arc<AtomicU64>);

impl Drop for NotesLocks {
    fn drop(&mut self) {
        self.0.store(cpu_local::ledger().depth().into(), Ordering::SeqCst);
    }
}

/// A number that no ledger can have noted.
const NOTHING: u64 = u64::MAX;

/// Locks and loses the guard.
#[inline(never)]
fn lose_guard(mutex: &Mutex<u64>) {
    let guard = mutex.lock();
    fault_here();
    black_box(guard.is_ok());
}

/// A frame further out frees the mutex after its guard was lost: no code may look at the mutex any more.
pub(crate) fn freed_lock() -> Outcome {
    let noted = Arc::new(AtomicU64::new(NOTHING));
    let notes = NotesLocks(Arc::clone(&noted));
    let task = task::spawn("check: freed lock", move || {
        let _notes = notes;
        let owned = Box::new(Mutex::new(1));
        lose_guard(&owned);
        black_box(&owned);
    })?;
    ended_of(task.join(), FaultKind::NullAccess)?;
    expect("locks that the ledger names when the mutex is gone", noted.load(Ordering::SeqCst), 0)
}

/// A guard is forgotten, so the mutex can be moved while it is held. The address that recovery knows has not moved.
pub(crate) fn moved_lock() -> Outcome {
    let place = Arc::new(SpinLock::new(None));
    let inner = Arc::clone(&place);
    let task = task::spawn("check: moved lock", move || {
        let mutex = Mutex::new(1);
        core::mem::forget(mutex.lock());
        *inner.lock() = Some(mutex);
        panic!("as the check wants");
    })?;
    ended_of::<()>(task.join(), FaultKind::Panic)?;
    let mutex = place.lock().take().ok_or(CheckError::Missing("the mutex"))?;
    holds("the mutex is free", mutex.holder().is_none())?;
    holds("the mutex is poisoned", mutex.is_poisoned())?;
    let value = mutex.lock().map_or_else(|poisoned| *poisoned.into_inner(), |guard| *guard);
    expect("the value behind it", value, 1)
}

/// Waits, when it is dropped, until another task has freed the mutex.
struct WaitsForOther {
    turn: Arc<AtomicU64>,
    _notes: NotesLocks,
}

impl Drop for WaitsForOther {
    fn drop(&mut self) {
        self.turn.store(1, Ordering::SeqCst);
        let _ = eventually("the other task has freed the mutex", || self.turn.load(Ordering::SeqCst) == 2);
    }
}

/// As above, but another task frees it, while the holder is being unwound.
pub(crate) fn lock_freed_by_another() -> Outcome {
    let (noted, turn) = (Arc::new(AtomicU64::new(NOTHING)), Arc::new(AtomicU64::new(0)));
    let waits = WaitsForOther { turn: Arc::clone(&turn), _notes: NotesLocks(Arc::clone(&noted)) };
    let mutex = Arc::new(Mutex::new(1));
    let inner = Arc::clone(&mutex);
    let task = task::spawn("check: lock freed by another", move || {
        let _waits = waits;
        let owned = inner;
        lose_guard(&owned);
        black_box(&owned);
    })?;
    let outcome = eventually("the guard is lost", || turn.load(Ordering::SeqCst) == 1);
    let was_held = mutex.holder() == Some(task.id());
    drop(mutex);
    turn.store(2, Ordering::SeqCst);
    ended_of(task.join(), FaultKind::NullAccess)?;
    outcome?;
    expect("the mutex was held", u64::from(was_held), 1)?;
    expect("locks that the ledger names when the mutex is gone", noted.load(Ordering::SeqCst), 0)
}
