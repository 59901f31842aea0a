//! The outermost function of every task, and its last.

use task_core::{Cause, Disposal, Ended, FaultKind, Task};
use unwinder::{Caught, catch_root};
use x86_64::instructions::interrupts;

use crate::rights::{FAULT, SPAWN};
use crate::{ends, reaper};

/// Where a task begins, with interrupts off, and ends.
pub(crate) extern "C-unwind" fn main() -> ! {
    let Some(current) = task_core::current() else { unreachable!("a task runs that is not the current one") };
    current.with_record(|task| run(task))
}

fn run(task: &Task) -> ! {
    // First: as soon as interrupts come, a search for references must include this stack.
    task.body(SPAWN).begin();
    // SAFETY: the guards that the word still counts are those of the context that switched here.
    unsafe { cpu_local::set_interrupt_guards(0) };
    interrupts::enable();
    let before = cpu_local::ledger().snapshot();
    let outcome = guarded(|| {
        unwinder::cancellation_point();
        if let Some(start) = task.body(SPAWN).take_start() {
            start();
        }
    });
    // The order to end has been carried out; it is not meant for the destructors that are left.
    task.faults(FAULT).withdraw_end();
    let of_start = drop_start(task);
    if has_lost_no_guard(&outcome) && has_lost_no_guard(&of_start) {
        drop_thread_locals(task);
    }
    interrupts::disable();
    // Locks whose guards were forgotten: the tasks that wait for them go on, and learn of it by the poison.
    // SAFETY: the ledger is the running task's, and interrupts stay off until it has left. Its frames are gone, and the
    // destructors of its thread locals run no more, so no guard is used again. A lock on the stack was dropped, which struck it;
    // a lock that may be forgotten keeps its header in a place of its own, which stays.
    let _forgotten = unsafe { cpu_local::ledger().release_since(&before) };
    let how = match outcome {
        Ok(()) => Ok(()),
        Err(_) if task.body(SPAWN).is_exiting() => Err(Ended::Exited),
        Err(caught) => Err(Ended::from(caught.cause)),
    };
    finish(task, how)
}

/// Ends the running task, unwound but without a result. Its joiner gets [`Ended::Exited`].
///
/// # Panics
/// There is no task yet, or the task is ending already.
pub fn exit() -> ! {
    if let Some(current) = task_core::current() {
        current.with_record(|task| task.body(SPAWN).set_exiting());
        unwinder::begin_here(Cause::of(FaultKind::Exit));
    }
    panic!("only a task can exit, and only once")
}

/// Runs `body`, and returns also if it panics, faults or is killed.
fn guarded(body: impl FnOnce()) -> Result<(), Caught> {
    // SAFETY: guards of locks do not leave their task, and the frames of `body` are gone. The task's thread locals can hold
    // guards: they are not dropped after a lock was released, and no other code of the task runs any more.
    unsafe { catch_root(body) }
}

/// Whether no lock was released on behalf of a guard. Such a guard may be in a thread local. Then the destructor of the
/// thread local would release the lock a second time, when another task holds it.
fn has_lost_no_guard(outcome: &Result<(), Caught>) -> bool {
    outcome.as_ref().err().is_none_or(|caught| caught.released_locks == 0)
}

/// Drops the closure that the task was to run, if the task was ended before it did that. The task itself does so: a fault in
/// a destructor is the task's.
fn drop_start(task: &Task) -> Result<(), Caught> {
    task.body(SPAWN).take_start().map_or(Ok(()), |start| guarded(|| drop(start)))
}

/// Destructors of thread locals that run at the end of a task. Tasks have far fewer thread locals; a value whose destructor
/// makes it anew each time would keep the task for ever.
const MAX_DESTRUCTORS: u32 = 4096;

/// Drops the thread locals. A destructor that panics does not keep the others from running. A destructor may use thread locals
/// again, which are dropped in turn, [`MAX_DESTRUCTORS`] in all: the rest is leaked.
fn drop_thread_locals(task: &Task) {
    for _ in 0..MAX_DESTRUCTORS {
        let Some((value, destructor)) = task.body(SPAWN).next_destructor() else { return };
        // SAFETY: the caller of `Current::at_end` promised that the function is right for the value, which is still valid:
        // the task has not ended.
        let outcome = guarded(|| unsafe { destructor(value) });
        if !has_lost_no_guard(&outcome) {
            return;
        }
    }
}

/// Gives up the CPU for good.
fn finish(task: &Task, how: Result<(), Ended>) -> ! {
    // No interrupt comes from here to the switch: a joiner that sees the end spins until the stack is left.
    interrupts::disable();
    let prior = task.body(SPAWN).dispose(Disposal::Ended);
    task.end(SPAWN);
    task.body(SPAWN).conclude(how);
    ends::queue(task).wake_all();
    if prior == Disposal::Detached {
        task.body(SPAWN).dispose(Disposal::Detached);
        reaper::reap(task.slot());
    }
    if task.body(SPAWN).leave_origin() {
        reaper::look_for_left_over();
    }
    scheduler::exit(SPAWN)
}
