//! Thread locals that are made when first used and dropped when their task ends.
//!
//! [`thread_local!`] declares one; it works in cells that forbid `unsafe`. Guarantees: each task has its own value,
//! made by the initialiser at the task's first use; when the task ends, in any way, the values that it made are
//! dropped, the latest first, on its own stack. A destructor may use other thread locals, those already dropped too
//! (they are made anew and dropped again).
//!
//! A value lies in the task's thread-local area, which is part of its stack's memory: a reference to it cannot leave
//! the closure that [`ThreadLocal::with`] gives it to.
//!
//! How it can fail: using a value inside its own initialiser panics, and so does use before there are tasks.
#![no_std]
#![feature(allow_internal_unsafe)]
#![allow(internal_features, reason = "so that `thread_local!` works in cells that forbid unsafe code")]

use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::mem::MaybeUninit;

/// How far a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Absent,
    BeingMade,
    Present,
}

/// One task's value, as it lies in its thread-local area. Made only by [`thread_local!`].
#[doc(hidden)]
pub struct LocalValue<T: 'static> {
    stage: Cell<Stage>,
    value: UnsafeCell<MaybeUninit<T>>,
}

impl<T: 'static> Default for LocalValue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: 'static> LocalValue<T> {
    /// An empty place.
    pub const fn new() -> Self {
        Self { stage: Cell::new(Stage::Absent), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// The value, made now if this is the first use.
    ///
    /// # Safety
    /// The place is a `#[thread_local]` static of the running task.
    pub unsafe fn get(&self, make: fn() -> T) -> &T {
        if self.stage.get() != Stage::Present {
            // SAFETY: the caller's promise.
            unsafe { self.fill(make) };
        }
        // SAFETY: the value is present, and has no mutable reference: `fill` writes it while it is absent, and `drop_value` takes
        // it out by a copy after it was marked absent.
        unsafe { (*self.value.get()).assume_init_ref() }
    }

    #[cold]
    unsafe fn fill(&self, make: fn() -> T) {
        assert!(self.stage.get() == Stage::Absent, "a thread local is used by its own initialiser");
        self.stage.set(Stage::BeingMade);
        let reset = ResetOnUnwind(&self.stage);
        let value = make();
        core::mem::forget(reset);
        // SAFETY: the value is absent, so nothing is overwritten and no reference to it exists.
        unsafe { (*self.value.get()).write(value) };
        self.stage.set(Stage::Present);
        match task_core::current() {
            // SAFETY: the place belongs to the running task and stays until its end.
            Some(current) => unsafe { current.at_end(core::ptr::from_ref(self).cast_mut().cast(), drop_value::<T>) },
            None => panic!("a thread local is used before there are tasks"),
        }
    }
}

/// An initialiser that panics leaves the place as it was.
struct ResetOnUnwind<'a>(&'a Cell<Stage>);

impl Drop for ResetOnUnwind<'_> {
    fn drop(&mut self) {
        self.0.set(Stage::Absent);
    }
}

unsafe fn drop_value<T: 'static>(place: *mut ()) {
    // SAFETY: `fill` noted this function for this place. The task is at its end and runs this on its own stack, so the place
    // is there, and no other reference to it is in use.
    let place = unsafe { &*place.cast::<LocalValue<T>>() };
    // The destructor may use the thread local again: then it is made anew, and dropped in turn.
    place.stage.set(Stage::Absent);
    // SAFETY: the value was present, because the destructor was noted when it became so. It was marked absent before this
    // read, so it is not read a second time, even if the task is ended between the two.
    let value = unsafe { (*place.value.get()).assume_init_read() };
    drop(value);
}

/// Calls what it is given with the running task's value.
type Access<T> = fn(&mut dyn FnMut(&T));

/// A thread local: the name that [`thread_local!`] declares.
pub struct ThreadLocal<T: 'static> {
    with: Access<T>,
}

impl<T: 'static> ThreadLocal<T> {
    /// For [`thread_local!`].
    #[doc(hidden)]
    pub const fn new(with: Access<T>) -> Self {
        Self { with }
    }

    /// Uses the running task's value.
    pub fn with<R>(&self, work: impl FnOnce(&T) -> R) -> R {
        let (mut work, mut result) = (Some(work), None);
        (self.with)(&mut |value| {
            if let Some(work) = work.take() {
                result = Some(work(value));
            }
        });
        match result {
            Some(result) => result,
            // The function that the macro made calls once.
            None => unreachable!("a thread local did not give its value"),
        }
    }

    /// A copy of the running task's value.
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        self.with(|value| *value)
    }
}

impl<T: 'static> fmt::Debug for ThreadLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThreadLocal")
    }
}

/// Declares thread locals:
///
/// ```ignore
/// thread_locals::thread_local! {
///     static DEPTH: Cell<u32> = Cell::new(0);
/// }
/// ```
///
/// The declaring crate has `#![feature(thread_local)]`.
#[macro_export]
#[allow_internal_unsafe]
macro_rules! thread_local {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $initial:expr;)+) => {$(
        $(#[$attribute])*
        $visibility static $name: $crate::ThreadLocal<$type> = {
            fn make() -> $type {
                $initial
            }
            fn with(work: &mut dyn FnMut(&$type)) {
                #[thread_local]
                static PLACE: $crate::LocalValue<$type> = $crate::LocalValue::new();
                // SAFETY: `PLACE` is a thread local of the running task.
                work(unsafe { PLACE.get(make) })
            }
            $crate::ThreadLocal::new(with)
        };
    )+};
}
