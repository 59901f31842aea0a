//! The destructors that unwinding runs, and the frames that it stops at.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::hint::black_box;
use core::sync::atomic::{AtomicU64, Ordering};

use fault_context::FaultKind;
use self_check::{Outcome, expect};

use crate::ended_of;

/// Counts its own end.
pub(crate) struct Counted(pub(crate) Arc<AtomicU64>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Calls itself `depth` times with something owned in each frame, then `end`.
#[inline(never)]
pub(crate) fn nest(depth: u64, drops: &Arc<AtomicU64>, end: &dyn Fn()) {
    let _counted = Counted(Arc::clone(drops));
    let owned = Box::new(depth);
    if depth == 1 {
        end();
    } else {
        nest(depth - 1, drops, end);
    }
    black_box(owned);
}

pub(crate) fn panic_runs_destructors() -> Outcome {
    let drops = Arc::new(AtomicU64::new(0));
    let inner = Arc::clone(&drops);
    let task = task::spawn("check: destructors", move || nest(5, &inner, &|| panic!("as the check wants")))?;
    ended_of(task.join(), FaultKind::Panic)?;
    expect("destructors run", drops.load(Ordering::SeqCst), 5)?;
    expect("references left", Arc::strong_count(&drops) as u64, 1)
}

pub(crate) fn inner_catch() -> Outcome {
    let drops = Arc::new(AtomicU64::new(0));
    let inner = Arc::clone(&drops);
    let task = task::spawn("check: inner catch", move || {
        // SAFETY: the body takes no lock.
        let caught = unsafe { unwinder::catch(|| nest(3, &inner, &|| panic!("as the check wants"))) };
        caught.is_err() && !fault_context::unwinding() && cpu_local::preemption_enabled()
    })?;
    let went_on = task.join().unwrap_or(false);
    expect("the task went on", u64::from(went_on), 1)?;
    expect("destructors run", drops.load(Ordering::SeqCst), 3)
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    #[inline(never)]
    fn drop(&mut self) {
        panic!("a destructor panics, as the check wants");
    }
}

/// A task panics with a value in the innermost frame that has a destructor which does not come to its end.
pub(crate) fn panic_with<T: 'static>(bad: fn() -> T) -> Outcome {
    let drops = Arc::new(AtomicU64::new(0));
    let inner = Arc::clone(&drops);
    let task = task::spawn("check: bad destructor", move || {
        nest(3, &inner, &|| {
            let _bad = bad();
            panic!("as the check wants");
        });
    })?;
    ended_of(task.join(), FaultKind::Panic)?;
    expect("destructors run", drops.load(Ordering::SeqCst), 3)
}

pub(crate) fn panic_in_destructor() -> Outcome {
    panic_with(|| PanicsWhenDropped)
}

pub(crate) fn values_pass() -> Outcome {
    // SAFETY: the body takes no lock.
    let task = task::spawn("check: values", || unsafe { unwinder::catch(|| String::from("whole")) })?;
    let value = task.join().ok().and_then(Result::ok);
    expect("the value", u64::from(value.as_deref() == Some("whole")), 1)
}
