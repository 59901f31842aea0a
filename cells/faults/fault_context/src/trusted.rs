//! What is believed without a check.

use core::cell::Cell;

/// A value that the code of its context may look at, and that only whoever vouches for it sets: the unwinder goes where it
/// says.
#[derive(Debug)]
#[repr(transparent)]
pub struct Trusted<T: Copy>(Cell<T>);

impl<T: Copy> Trusted<T> {
    /// A first value, which the maker of the context vouches for.
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
    /// The value is what the field that it is in says, and stays true until it is set again; nobody else reads or sets it
    /// meanwhile.
    #[inline]
    pub unsafe fn set(&self, value: T) {
        self.0.set(value);
    }
}
