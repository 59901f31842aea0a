//! A value that stays where it is while its owner moves: for the part of a lock that ledgers and waiting tasks know by its
//! address.
//!
//! A guard borrows its lock, so a lock that is held is not moved; but a guard can be forgotten, and then safe code moves the
//! lock while its holder's ledger names it. Therefore the named part lies in memory of its own, which is given back by the
//! owner's drop.
//!
//! Guarantees: the value is made when it is first needed, once, and has one address until its [`FixedPlace`] is dropped,
//! which drops it. How it can fail: if there is no memory for it, which the allocator's error handler deals with.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// Room for a `T`, which is made when it is first needed.
pub struct FixedPlace<T> {
    /// Null, or what `Box::into_raw` gave.
    value: AtomicPtr<T>,
    owned: PhantomData<T>,
}

// SAFETY: one task makes the value, and others use it and may drop it, so it must be both `Send` and `Sync`.
unsafe impl<T: Send + Sync> Sync for FixedPlace<T> {}

impl<T> FixedPlace<T> {
    /// Without a value.
    pub const fn new() -> Self {
        Self { value: AtomicPtr::new(ptr::null_mut()), owned: PhantomData }
    }

    /// The value, if it was ever needed.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        // SAFETY: what is stored is a value that lives until `self` is dropped.
        unsafe { self.value.load(Ordering::Acquire).as_ref() }
    }

    /// The value; the first time, what `make` gives.
    #[inline]
    pub fn get_or_make(&self, make: fn() -> T) -> &T {
        self.get().unwrap_or_else(|| self.make(make))
    }

    #[cold]
    fn make(&self, make: fn() -> T) -> &T {
        let new = Box::into_raw(Box::new(make()));
        match self.value.compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: it is stored now, so it lives until `self` is dropped.
            Ok(_) => unsafe { &*new },
            Err(first) => {
                // SAFETY: another task was faster, so this value was never stored and has no other user.
                drop(unsafe { Box::from_raw(new) });
                // SAFETY: as in `get`.
                unsafe { &*first }
            }
        }
    }
}

impl<T> Default for FixedPlace<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for FixedPlace<T> {
    fn drop(&mut self) {
        let value = *self.value.get_mut();
        if !value.is_null() {
            // SAFETY: it came from a box, and all references to it borrowed `self`.
            drop(unsafe { Box::from_raw(value) });
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for FixedPlace<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn a_value_stays_while_its_owner_moves() {
        let place = FixedPlace::new();
        assert!(place.get().is_none());
        let address = ptr::from_ref(place.get_or_make(|| 7));
        let moved = Box::new(place);
        assert_eq!(ptr::from_ref(moved.get_or_make(|| 8)), address);
        assert_eq!(moved.get(), Some(&7));
    }

    #[test]
    fn a_value_is_dropped_once() {
        let drops = Arc::new(());
        let place = FixedPlace::new();
        let value: &std::sync::Mutex<Option<Arc<()>>> = place.get_or_make(|| std::sync::Mutex::new(None));
        *value.lock().unwrap() = Some(Arc::clone(&drops));
        assert_eq!(Arc::strong_count(&drops), 2);
        drop(place);
        assert_eq!(Arc::strong_count(&drops), 1);
    }

    #[test]
    fn all_who_need_it_first_get_the_same() {
        let place = FixedPlace::new();
        let addresses: Vec<usize> = thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| ptr::from_ref(place.get_or_make(|| 7)).addr())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(addresses.iter().all(|address| *address == addresses[0]));
    }
}
