//! Nothing that an ended task owned survives it, however it ended.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::cell::RefCell;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;

use fault_context::FaultKind;
use frames::Purpose;
use mapping::Writable;
use mutex::Mutex;
use rendezvous::{ReceiveError, Sender};
use self_check::{CheckError, Outcome, eventually, expect};
use subject::compute;
use vfs::File;

use crate::destructors::Counted;
use crate::ended_of;

/// How often each end is repeated, so that the leftovers of each add up.
const ROUNDS: u64 = 8;
/// Where the task has a file open.
const PATH: &str = "/tmp/check-leftovers";
/// Bytes that it wrote there.
const WRITTEN: usize = 10_000;
/// Frames that it has mapped.
const MAPPED: usize = 16;
/// Bytes that others may take or give back meanwhile.
const TOLERANCE: usize = 8 * 1024;

/// Longer than the check takes: the task is ended at a cancellation point or not at all.
const FOR_EVER: Duration = Duration::from_secs(1000);

/// How a task ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Return,
    Fault(FaultKind),
    /// Killed while it waits.
    Kill,
    /// Killed while it computes for ever.
    ForcedKill,
}

/// The state that all parties see.
struct Shared {
    /// Destructors run: of a value on the stack, of a thread local.
    drops: [Arc<AtomicU64>; 2],
    /// Held by the task, to its end.
    lock: Mutex<()>,
    ready: AtomicBool,
}

thread_locals::thread_local! {
    static LOCAL: RefCell<Option<(Counted, Box<[u8; 3000]>)>> = RefCell::new(None);
}

/// Has one of everything that a task can own, and ends.
fn live(shared: &Shared, way: Way, _sender: &Sender<u8>) -> Outcome {
    let _counted = Counted(Arc::clone(&shared.drops[0]));
    LOCAL.with(|local| {
        *local.borrow_mut() = Some((Counted(Arc::clone(&shared.drops[1])), Box::new([1; 3000])));
    });
    let block = Box::new([1u8; 5000]);
    let mut mapped = mapping::allocate(MAPPED, Writable, Purpose::Other)?;
    mapped.bytes_mut().fill(1);
    let mut file = File::create(PATH)?;
    file.write(&[1; WRITTEN])?;
    // Removed, but open: the space is free when the last handle is gone.
    vfs::remove(PATH)?;
    let _guard = shared.lock.lock();
    if way != Way::ForcedKill {
        shared.ready.store(true, Ordering::SeqCst);
    }
    // A task that is killed wherever it is says only there that it is ready: this frame must not be the innermost one.
    end(way, &shared.ready);
    black_box((&block, &mapped, &file));
    Ok(())
}

/// A frame that faults loses its own values, and none of its callers'.
#[inline(never)]
fn end(way: Way, going: &AtomicBool) {
    match way {
        Way::Return => {}
        Way::Fault(kind) => fault_injection::make(kind),
        Way::Kill => task::sleep(FOR_EVER),
        Way::ForcedKill => compute(going),
    }
}

fn one_life(way: Way) -> Outcome {
    let drops = [Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0))];
    let shared = Arc::new(Shared { drops, lock: Mutex::new(()), ready: AtomicBool::new(false) });
    let (sender, receiver) = rendezvous::channel::<u8>();
    let inner = Arc::clone(&shared);
    let task = task::spawn("check: leftovers", move || live(&inner, way, &sender))?;
    let id = task.id();
    let outcome = eventually("the task has it all", || shared.ready.load(Ordering::SeqCst) || task.has_ended());
    match way {
        Way::Kill => drop(task.kill_capability().kill_within(FOR_EVER)),
        Way::ForcedKill => drop(task.kill_capability().kill_within(Duration::from_millis(10))),
        Way::Return | Way::Fault(_) => {}
    }
    let end = task.join();
    outcome?;
    match way {
        Way::Return => end.map_err(|_| CheckError::Missing("the result"))??,
        Way::Fault(kind) => ended_of(end, kind)?,
        Way::Kill | Way::ForcedKill => ended_of(end, FaultKind::Killed)?,
    }
    for drops in &shared.drops {
        expect("destructors run", drops.load(Ordering::SeqCst), 1)?;
    }
    expect("references to what was shared", Arc::strong_count(&shared) as u64, 1)?;
    let disconnected = matches!(receiver.try_receive(), Err(ReceiveError::Disconnected));
    expect("the channel knows that its sender is gone", u64::from(disconnected), 1)?;
    expect("the lock is free", u64::from(shared.lock.holder().is_none()), 1)?;
    expect("the lock is poisoned", u64::from(shared.lock.is_poisoned()), u64::from(way != Way::Return))?;
    expect("the task is listed", u64::from(task::find(id).is_some()), 0)
}

/// Bytes in files.
fn in_files() -> Result<u64, CheckError> {
    Ok(vfs::usage()?.iter().map(|(_, usage)| usage.used).sum())
}

fn lives(way: Way) -> Outcome {
    // The first one fills caches.
    one_life(way)?;
    let (files, tasks) = (in_files()?, task::count());
    let (mapped, heap) = (frames::statistics().held(Purpose::Other), heap::statistics().used);
    for _ in 0..ROUNDS {
        one_life(way)?;
    }
    expect("bytes in files", in_files()?, files)?;
    let mapped_now = frames::statistics().held(Purpose::Other);
    expect("mapped frames have come back", u64::from(mapped_now < mapped + MAPPED), 1)?;
    let grown = heap::statistics().used.saturating_sub(heap);
    expect("bytes of the heap that did not come back", if grown < TOLERANCE { 0 } else { grown as u64 }, 0)?;
    eventually("as many tasks as before", || task::count() <= tasks)
}

pub(crate) fn of_return() -> Outcome {
    lives(Way::Return)
}

pub(crate) fn of_panic() -> Outcome {
    lives(Way::Fault(FaultKind::Panic))
}

pub(crate) fn of_kill() -> Outcome {
    lives(Way::Kill)
}

pub(crate) fn of_forced_kill() -> Outcome {
    lives(Way::ForcedKill)
}

pub(crate) fn of_fault() -> Outcome {
    lives(Way::Fault(FaultKind::NullAccess))
}

pub(crate) fn of_overflow() -> Outcome {
    lives(Way::Fault(FaultKind::StackOverflow))
}
