//! The stack of a task, and the reserve below it.

use core::sync::atomic::Ordering;

use crate::FaultContext;

/// The addresses of a stack that may be read and written, `high` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackBounds {
    /// Lowest address: the bottom of the reserve.
    pub low: u64,
    /// First address above the stack.
    pub high: u64,
}

impl StackBounds {
    /// Whether the whole word at `address` lies on the stack.
    #[inline]
    pub const fn holds_word(&self, address: u64) -> bool {
        address >= self.low && address < self.high && self.high - address >= 8
    }

    /// Whether `address` can be the value of a stack pointer on this stack.
    #[inline]
    pub const fn holds_pointer(&self, address: u64) -> bool {
        address >= self.low && address <= self.high
    }
}

/// How the reserve below a stack is made usable and is taken away again; both without lock or allocation.
#[derive(Debug, Clone, Copy)]
pub struct Reserve {
    /// The stack, as the functions know it.
    pub stack: *const (),
    /// Maps the reserve of a stack that is there.
    pub reveal: unsafe fn(*const ()),
    /// Unmaps the reserve of a stack that is there, while no frame stands in the reserve.
    pub hide: unsafe fn(*const ()),
    /// Lowest address of the guard page.
    pub guard_low: u64,
    /// First address behind the guard area, the lowest of the stack proper.
    pub guard_high: u64,
}

/// Stack that hiding the reserve takes: pages are unmapped and other CPUs are told.
const HIDING_STACK: u64 = 4096;

impl FaultContext {
    /// Bytes of the stack, without its reserve.
    pub fn stack_size(&self) -> u64 {
        let stack = self.stack.get();
        let low = self.reserve.get().map_or(stack.low, |reserve| reserve.guard_high);
        stack.high.saturating_sub(low)
    }

    /// Makes the reserve below the stack usable, once.
    pub fn reveal_reserve(&self) {
        if let Some(reserve) = self.reserve.get()
            && !self.reserve_revealed.swap(true, Ordering::AcqRel)
        {
            // SAFETY: the code that set the reserve vouched for its functions; the context is in use, so its stack is there.
            unsafe { (reserve.reveal)(reserve.stack) };
        }
    }

    /// Takes the reserve away again if it was revealed and the caller, with the stack that hiding takes, stands on the stack
    /// proper; else a catch further out does it.
    pub fn hide_reserve(&self) {
        let here = 0u8;
        let lowest = ((&raw const here).addr() as u64).saturating_sub(HIDING_STACK);
        if let Some(reserve) = self.reserve.get()
            && !(reserve.guard_low..reserve.guard_high).contains(&lowest)
            && self.reserve_revealed.swap(false, Ordering::AcqRel)
        {
            // SAFETY: as in `reveal_reserve`; this frame and those that called it are above the reserve.
            unsafe { (reserve.hide)(reserve.stack) };
        }
    }
}
