//! The outermost function of every task, and its last.

use task_core::{Cause, Disposal, Ended, FaultKind, Task};
use unwinder::{Caught, catch_root};
use x86_64::instructions::interrupts;

use crate::{RIGHT, end_queue, reaper};

/// Where a task begins, with interrupts off, and ends.
pub(crate) extern "C-unwind" fn main() -> ! {
    let Some(current) = task_core::current().map(|task| task.record(RIGHT)) else {
        unreachable!("a task runs that is not the current one")
    };
    // First: from the moment interrupts come, a search for references must look at this stack.
    current.begin(RIGHT);
    // SAFETY: the guards that the word still counts are those of the context that switched here.
    unsafe { cpu_local::set_interrupt_guards(0) };
    interrupts::enable();
    let outcome = guarded(|| {
        unwinder::cancellation_point();
        if let Some(start) = current.take_start(RIGHT) {
            start();
        }
    });
    // The order to end has been carried out; it is not meant for the destructors that are left.
    current.faults(RIGHT).withdraw_end();
    let of_start = drop_start(current);
    if has_lost_no_guard(&outcome) && has_lost_no_guard(&of_start) {
        drop_thread_locals(current);
    }
    let how = match outcome {
        Ok(()) => Ok(()),
        Err(_) if current.is_exiting(RIGHT) => Err(Ended::Exited),
        Err(caught) => Err(Ended::from(caught.cause)),
    };
    finish(current, how)
}

/// Ends the running task, unwound but without a result: joining it gives [`Ended::Exited`].
pub fn exit() -> ! {
    if let Some(current) = task_core::current() {
        current.record(RIGHT).set_exiting(RIGHT);
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

/// Whether no lock was released on behalf of a guard: the guard may be in a thread local, whose destructor would release
/// the lock a second time, when another task holds it.
fn has_lost_no_guard(outcome: &Result<(), Caught>) -> bool {
    outcome.as_ref().err().is_none_or(|caught| caught.released_locks == 0)
}

/// The closure that the task was to run, if it was ended before: its destructors are the task's to run, where a fault is the
/// task's too.
fn drop_start(current: &Task) -> Result<(), Caught> {
    current.take_start(RIGHT).map_or(Ok(()), |start| guarded(|| drop(start)))
}

/// A destructor that panics must not keep the others from running; it may also use thread locals again, which then are
/// dropped in turn.
fn drop_thread_locals(current: &Task) {
    while let Some((value, destructor)) = current.next_destructor(RIGHT) {
        // SAFETY: the code that noted the destructor said that it is right for the value.
        let outcome = guarded(|| unsafe { destructor(value) });
        if !has_lost_no_guard(&outcome) {
            return;
        }
    }
}

/// Gives up the CPU for good.
fn finish(task: &Task, how: Result<(), Ended>) -> ! {
    // From here to the switch nothing may come between: a joiner that sees the end waits for the stack to be left.
    interrupts::disable();
    let prior = task.dispose(RIGHT, Disposal::Ended);
    task.end(RIGHT);
    task.conclude(RIGHT, how);
    end_queue(task).wake_all();
    if prior == Disposal::Detached {
        reaper::reap(task.slot());
    }
    scheduler::exit(RIGHT)
}
