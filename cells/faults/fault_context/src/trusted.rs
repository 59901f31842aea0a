//! Values that the unwinder believes without a check.

use core::cell::Cell;

/// A value that the task can read. Only unsafe code can set it, because the unwinder jumps to the addresses in it.
#[derive(Debug)]
#[repr(transparent)]
pub struct Trusted<T: Copy>(Cell<T>);

impl<T: Copy> Trusted<T> {
    /// A first value, for which the maker of the context vouches.
    pub(crate) const fn new(value: T) -> Self {
        Self(Cell::new(value))
    }

    /// The value.
    #[inline]
    pub fn get(&self) -> T {
        self.0.get()
    }

    /// Where the value lies.
    #[inline]
    pub fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }

    /// Sets the value.
    ///
    /// # Safety
    /// The value is as the documentation of its field says, until it is set again; no other code reads or sets it meanwhile.
    #[inline]
    pub unsafe fn set(&self, value: T) {
        self.0.set(value);
    }
}
