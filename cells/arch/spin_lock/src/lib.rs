//! Locks that spin: [`SpinLock`] keeps interrupts off while it is held (so handlers may take it), [`PreemptLock`]
//! only preemption.
//!
//! Guarantees: mutual exclusion between all CPUs; every lock held or about to be taken is in its holder's ledger, so
//! that recovery can release it and mark it poisoned. Poison is a statement for code that asks
//! ([`SpinLock::is_poisoned`]), not an error: the data of a lock here must be usable after every single store.
//! While waiting, interrupts are as the caller had them, so a CPU that waits still answers TLB shootdowns.
//!
//! How it can fail: taking a lock that the same context holds would wait for ever, so it panics; a holder that
//! never lets go is the watchdog's business.
#![cfg_attr(not(test), no_std)]

use core::cell::UnsafeCell;
use core::fmt;
use core::hint;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::Ordering;

use cpu_local::{InterruptGuard, PreemptGuard};
use lock_ledger::{Entry, Ledger, LockHeader, NOBODY};

/// A held header: the part of both guards that does not depend on the type inside.
#[derive(Debug)]
struct Held {
    ledger: &'static Ledger,
    entry: Entry,
}

impl Held {
    /// Tries once. The caller has seen to it that the context cannot change.
    #[inline]
    fn try_acquire(header: &LockHeader) -> Option<Self> {
        let ledger = cpu_local::ledger();
        // SAFETY: struck right here, or by the guard that is made of this and borrows the lock. If the guard is lost or
        // forgotten, the lock names its owner.
        let entry = unsafe { ledger.enter(header) };
        if header.try_take(ledger.owner()) {
            return Some(Self { ledger, entry });
        }
        ledger.strike(entry);
        None
    }

    #[inline]
    fn release(&self, header: &LockHeader) {
        header.owner.store(NOBODY, Ordering::Release);
        self.ledger.strike(self.entry);
    }
}

/// Waits until the header looks free.
#[cold]
fn wait(header: &LockHeader) {
    let holder = header.owner.load(Ordering::Relaxed);
    assert!(holder != cpu_local::owner(), "this context already holds the spin lock at {header:p}");
    while header.owner.load(Ordering::Relaxed) != NOBODY {
        hint::spin_loop();
    }
}

/// In the caller: a free lock, which is the rule, costs no call.
#[inline]
fn acquire_with_interrupts_off(header: &LockHeader) -> (InterruptGuard, Held) {
    let irq_off = InterruptGuard::new();
    match Held::try_acquire(header) {
        Some(held) => (irq_off, held),
        None => {
            drop(irq_off);
            wait_with_interrupts_off(header)
        }
    }
}

#[cold]
fn wait_with_interrupts_off(header: &LockHeader) -> (InterruptGuard, Held) {
    loop {
        wait(header);
        let irq_off = InterruptGuard::new();
        if let Some(held) = Held::try_acquire(header) {
            return (irq_off, held);
        }
    }
}

#[inline]
fn acquire_with_preemption_off(header: &LockHeader) -> (PreemptGuard, Held) {
    let stay = PreemptGuard::new();
    match Held::try_acquire(header) {
        Some(held) => (stay, held),
        None => {
            drop(stay);
            wait_with_preemption_off(header)
        }
    }
}

#[cold]
fn wait_with_preemption_off(header: &LockHeader) -> (PreemptGuard, Held) {
    loop {
        wait(header);
        let stay = PreemptGuard::new();
        if let Some(held) = Held::try_acquire(header) {
            return (stay, held);
        }
    }
}

#[cold]
fn wait_irq_off(header: &LockHeader) -> Held {
    loop {
        wait(header);
        if let Some(held) = Held::try_acquire(header) {
            return held;
        }
    }
}

/// A [`SpinLock`] is held while this lives; that interrupts are off is the business of a guard that outlives it.
#[must_use = "the lock is released when the guard is dropped"]
pub struct IrqOffGuard<'a, T: ?Sized> {
    lock: &'a SpinLock<T>,
    held: Held,
    /// Like the guard that keeps interrupts off, it stays on its CPU.
    not_send: PhantomData<*const ()>,
}

impl<T: ?Sized> SpinLock<T> {
    /// Takes the lock, waiting for it, where interrupts are off already. While it waits, this CPU answers no other. So
    /// the method is for locks with holders that never wait for other CPUs.
    ///
    /// # Panics
    /// If this context holds the lock already: it would wait for ever.
    #[inline]
    pub fn lock_irq_off<'a>(&'a self, _irq_off: &'a InterruptGuard) -> IrqOffGuard<'a, T> {
        let held = match Held::try_acquire(&self.header) {
            Some(held) => held,
            None => wait_irq_off(&self.header),
        };
        IrqOffGuard { lock: self, held, not_send: PhantomData }
    }
}

impl<T: ?Sized> Deref for IrqOffGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard's existence means that this context holds the lock.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for IrqOffGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized> Drop for IrqOffGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.held.release(&self.lock.header);
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for IrqOffGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

macro_rules! lock_type {
    ($(#[$lock_doc:meta])* $lock:ident, $(#[$guard_doc:meta])* $guard:ident, $context:ident, $acquire:ident) => {
        $(#[$lock_doc])*
        #[repr(C)]
        pub struct $lock<T: ?Sized> {
            header: LockHeader,
            data: UnsafeCell<T>,
        }

        // SAFETY: the lock gives the data to one context at a time.
        unsafe impl<T: ?Sized + Send> Sync for $lock<T> {}
        // SAFETY: the lock owns the data.
        unsafe impl<T: ?Sized + Send> Send for $lock<T> {}

        impl<T> $lock<T> {
            /// A free lock around `data`.
            pub const fn new(data: T) -> Self {
                Self { header: LockHeader::spinning(), data: UnsafeCell::new(data) }
            }

            /// The data, when the lock is not needed any more.
            pub fn into_inner(self) -> T {
                self.data.into_inner()
            }
        }

        impl<T: ?Sized> $lock<T> {
            /// Takes the lock, waiting for it.
            ///
            /// # Panics
            /// If this context holds the lock already: it would wait for ever.
            #[inline]
            pub fn lock(&self) -> $guard<'_, T> {
                let (context, held) = $acquire(&self.header);
                $guard { lock: self, held, _context: context }
            }

            /// Takes the lock if it is free now.
            #[inline]
            pub fn try_lock(&self) -> Option<$guard<'_, T>> {
                let context = $context::new();
                Held::try_acquire(&self.header).map(|held| $guard { lock: self, held, _context: context })
            }

            /// Whether a holder died while it held the lock.
            pub fn is_poisoned(&self) -> bool {
                self.header.is_poisoned()
            }

            /// Declares the data sound again.
            pub fn clear_poison(&self) {
                self.header.clear_poison();
            }

            /// Whether the lock is held now.
            pub fn is_locked(&self) -> bool {
                self.header.holder() != NOBODY
            }

            /// The holder of the lock now: the owner number of a task or of a booting CPU.
            pub fn holder(&self) -> Option<u64> {
                Some(self.header.holder()).filter(|&owner| owner != NOBODY)
            }

            /// The data, without locking: the caller has the only reference.
            pub fn get_mut(&mut self) -> &mut T {
                self.data.get_mut()
            }
        }

        impl<T: Default> Default for $lock<T> {
            fn default() -> Self {
                Self::new(T::default())
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $lock<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut out = f.debug_struct(stringify!($lock));
                match self.try_lock() {
                    Some(data) => out.field("data", &&*data),
                    None => out.field("holder", &self.header.holder()),
                };
                out.field("poisoned", &self.is_poisoned()).finish()
            }
        }

        $(#[$guard_doc])*
        #[must_use = "the lock is released when the guard is dropped"]
        pub struct $guard<'a, T: ?Sized> {
            lock: &'a $lock<T>,
            held: Held,
            // Last: restored after the lock is released.
            _context: $context,
        }

        impl<T: ?Sized> Deref for $guard<'_, T> {
            type Target = T;
            #[inline]
            fn deref(&self) -> &T {
                // SAFETY: the guard's existence means that this context holds the lock.
                unsafe { &*self.lock.data.get() }
            }
        }

        impl<T: ?Sized> DerefMut for $guard<'_, T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                // SAFETY: as above, and the guard is borrowed mutably.
                unsafe { &mut *self.lock.data.get() }
            }
        }

        impl<T: ?Sized> Drop for $guard<'_, T> {
            #[inline]
            fn drop(&mut self) {
                self.held.release(&self.lock.header);
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }
    };
}

lock_type! {
    /// A lock that interrupt handlers may take too: interrupts are off while it is held.
    SpinLock,
    /// The lock is held, and interrupts are off, while this lives.
    SpinLockGuard, InterruptGuard, acquire_with_interrupts_off
}

lock_type! {
    /// A lock between tasks only: interrupts come while it is held, preemption does not. An interrupt handler that
    /// takes it may find that it interrupted the holder, and panics.
    PreemptLock,
    /// The lock is held, and preemption is off, while this lives.
    PreemptLockGuard, PreemptGuard, acquire_with_preemption_off
}
