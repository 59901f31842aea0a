//! The outermost function of every task, and its last.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use task_core::{Cause, Current, Disposal, Ended, FaultKind, TaskRef};
use unwinder::{Caught, catch_root};
use x86_64::instructions::interrupts;

use crate::{RIGHT, end_queue, undertaker};

/// What is told of each unnatural end.
static END_HOOK: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Has `hook` called, in the task that ends, for each end that is not a return: for the fault log and supervisors. The
/// first hook stays.
pub fn set_end_hook(hook: fn(TaskRef, &Caught)) {
    let _ = END_HOOK.compare_exchange(ptr::null_mut(), hook as *mut (), Ordering::AcqRel, Ordering::Acquire);
}

fn tell(current: Current, caught: &Caught) {
    let hook = END_HOOK.load(Ordering::Acquire);
    if !hook.is_null() {
        // SAFETY: only `set_end_hook` stores here, and it stores this type.
        unsafe { core::mem::transmute::<*mut (), fn(TaskRef, &Caught)>(hook)(current.share(), caught) };
    }
}

/// Where a task begins, with interrupts off, and ends.
pub(crate) extern "C-unwind" fn main() -> ! {
    let Some(current) = task_core::current() else { unreachable!("a task runs that is not the current one") };
    // First: from the moment interrupts come, whoever looks for references must look at this stack.
    current.begin(RIGHT);
    // SAFETY: the guards that the word still counts are those of the context that switched here.
    unsafe { cpu_local::set_interrupt_guards(0) };
    interrupts::enable();
    let outcome = guarded(current, || {
        unwinder::cancellation_point();
        if let Some(start) = current.take_start(RIGHT) {
            // The closure's memory comes from whoever made the task, and is the task's to free.
            current.faults.heap_balance.set(size_of_val(&*start) as i64);
            start();
        }
    });
    // The order to end has been carried out; it is not meant for the destructors that are left.
    current.faults.withdraw_end();
    drop_thread_locals(current);
    let how = match outcome {
        Ok(()) => Ok(()),
        Err(_) if current.is_exiting(RIGHT) => Err(Ended::Exited),
        Err(cause) => Err(Ended::from(cause)),
    };
    finish(current, how)
}

/// Ends the running task, unwound but without a result. Whoever joins it gets [`Ended::Exited`].
pub fn exit() -> ! {
    if let Some(current) = task_core::current() {
        current.set_exiting(RIGHT);
        unwinder::begin_here(Cause::of(FaultKind::Exit));
    }
    panic!("only a task can exit, and only once")
}

/// Runs `body`; whatever it meets, it comes back here.
fn guarded(current: Current, body: impl FnOnce()) -> Result<(), Cause> {
    catch_root(body).map_err(|caught| {
        if !current.is_exiting(RIGHT) {
            tell(current, &caught);
        }
        caught.cause
    })
}

/// A destructor that panics must not keep the others from running; it may also use thread locals again, which then are
/// dropped in turn.
fn drop_thread_locals(current: Current) {
    while let Some((value, destructor)) = current.next_destructor(RIGHT) {
        // SAFETY: whoever noted the destructor said that it is right for the value.
        let _ = guarded(current, || unsafe { destructor(value) });
    }
}

/// Gives up the CPU for good.
fn finish(current: Current, how: Result<(), Ended>) -> ! {
    // From here to the switch nothing may come between: a joiner that sees the end waits for the stack to be left.
    interrupts::disable();
    let task = current.record(RIGHT);
    let prior = task.dispose(RIGHT, Disposal::Ended);
    task.end(RIGHT);
    task.conclude(RIGHT, how);
    end_queue(task).wake_all();
    if prior == Disposal::Detached {
        undertaker::bury(task.slot());
    }
    scheduler::exit()
}
