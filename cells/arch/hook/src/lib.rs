//! Places where a lower cell calls a function of a higher one.
//!
//! Cells depend on each other in one direction: `interrupts` cannot name `exceptions`, which stands above it. The lower
//! cell therefore declares a static [`Hook`], with the type of the function and with a function for the time before the
//! boot sets the hook. The table in `init::hooks` sets all hooks of the system.
//!
//! Guarantees, to the cell that calls through a hook:
//! - [`Hook::get`] always gives a function. It takes no lock and never waits, so handlers of exceptions may call it.
//! - The function is set at most once.
//! - The function can be called for as long as the system runs. Only a [`HookCap`] sets a hook, and its maker promises
//!   that the functions are of the kernel's cells. Such a cell is never unloaded. A swap can replace it; but the
//!   address of a function is the address of its permanent stub, which the swap directs to the new function.
//!
//! Can fail: a hook that is set for a second time is an error of the boot, and panics.
#![cfg_attr(not(test), no_std)]

use spin::Once;

/// The right to set hooks.
#[derive(Debug, Clone, Copy)]
pub struct HookCap(());

impl HookCap {
    /// The right to set hooks.
    ///
    /// # Safety
    /// Each function with which the right is used keeps the rules that its hook states, and is part of a cell of the
    /// kernel: an application can be unloaded, and its functions with it.
    pub const unsafe fn new() -> Self {
        Self(())
    }
}

/// A function that a higher cell sets and a lower cell calls. `F` is the type of a function pointer.
#[derive(Debug)]
pub struct Hook<F> {
    function: Once<F>,
    unset: F,
}

impl<F: Copy> Hook<F> {
    /// A hook that gives `unset` until it is set.
    pub const fn new(unset: F) -> Self {
        Self { function: Once::new(), unset }
    }

    /// Sets the function for good.
    ///
    /// # Panics
    /// If the hook is set already: two parts of the system claim it.
    pub fn set(&self, _right: HookCap, function: F) {
        let mut is_first = false;
        self.function.call_once(|| {
            is_first = true;
            function
        });
        assert!(is_first, "a hook is set twice");
    }

    /// The function to call.
    #[inline]
    pub fn get(&self) -> F {
        self.function.get().copied().unwrap_or(self.unset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SAFETY: the functions of a test program stay where they are.
    const RIGHT: HookCap = unsafe { HookCap::new() };

    #[test]
    fn an_unset_hook_gives_its_first_function() {
        let hook: Hook<fn() -> u32> = Hook::new(|| 1);
        assert_eq!(hook.get()(), 1);
        hook.set(RIGHT, || 2);
        assert_eq!(hook.get()(), 2);
    }

    #[test]
    #[should_panic(expected = "set twice")]
    fn a_hook_is_set_once() {
        let hook: Hook<fn()> = Hook::new(|| {});
        hook.set(RIGHT, || {});
        hook.set(RIGHT, || {});
    }
}
