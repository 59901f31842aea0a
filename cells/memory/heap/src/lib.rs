//! The kernel heap's front: the functions that `alloc` calls.
//!
//! Small requests are served from the CPU's own stock, without a lock, in a few dozen instructions; the others, and
//! the stock's refills, from the general allocator in `heap_core`, where all state is. Guarantees to every cell: when
//! memory runs out an allocation is null, and code that cannot live with that (`Box::new`, `Vec::push`) panics, which
//! unwinds the task that asked. Memory that is given back is cleared: a scan for references to replaced cells goes over
//! the heap and must not find the content of freed blocks. Each block names its account (`heap_accounts`), in the word
//! behind the last requested one. In free memory this word names no account: so a small block that is given back twice
//! is noticed, as long as it has no new owner, and left alone.
//!
//! This cell also defines the two symbols that the compiler otherwise adds at a final link, which Mitos does not have.
#![no_std]
#![feature(rustc_attrs)]
#![allow(internal_features, reason = "`rustc_attrs` names the symbols that the compiler calls")]

mod account;

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use cpu_local::InterruptGuard;
use fault_context::FaultKind;
use heap_accounts::Account;
use size_classes::Class;

pub use heap_core::{Statistics, statistics, trim};

/// Name of the rule for how many free blocks a CPU keeps. Builds of this cell differ in it.
pub fn cache_limit() -> &'static str {
    "generous"
}

/// How many free blocks of the class a CPU keeps before it gives a batch back: many, for speed. A block's size does not depend on
/// this rule, because blocks outlive the version of this cell that handed them out.
#[inline]
fn max_kept(class: Class) -> usize {
    class.limit()
}

/// The allocator behind `alloc`.
#[derive(Debug)]
pub struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

// SAFETY: blocks come from `heap_core`, which gives each to one caller; a block's class is computed from its layout
// alone, so it goes back where it came from.
unsafe impl GlobalAlloc for Heap {
    // In both, the rare work is called last and out of line: so the frequent way needs no register saved.
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = Class::of(layout.size(), layout.align()) else { return allocate_large(layout) };
        let irq_off = InterruptGuard::new();
        // SAFETY: the guard lives.
        match unsafe { heap_core::local(&irq_off).take(class) } {
            Some(block) => {
                // SAFETY: the block is fresh, and has room for its account.
                unsafe { account::charge(block.as_ptr(), layout.size()) };
                block.as_ptr()
            }
            None => allocate_batch(class, layout.size(), irq_off),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives the block away, which was charged with this size.
        unsafe {
            let account = account::of(block, layout.size());
            if account.discharge(layout.size()) {
                give_back(block, layout);
            } else {
                give_back_late(account, block, layout);
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the block is the caller's, and was charged with this size.
        let account = unsafe { account::of(block, layout.size()) };
        if new_size < layout.size() {
            // The part that is cut off is given back: to the general allocator, or with the rest of the block, which is
            // then cleared as far as the new size says. Words to the new end belong to the block.
            let kept = new_size.next_multiple_of(account::SIZE);
            // SAFETY: the caller gives away the bytes behind the new size, as far as the old one reaches.
            unsafe { clear(block.add(kept), layout.size().saturating_sub(kept)) };
        }
        let (old, new) = (Class::of(layout.size(), layout.align()), Class::of(new_size, layout.align()));
        // SAFETY: without a class it came from `allocate`, and stays without one.
        let stays = old.map_or_else(
            || new.is_none() && unsafe { resize_in_place(block, layout, new_size) },
            |old| new == Some(old),
        );
        if stays {
            if !account.discharge(layout.size()) {
                account.undo(layout.size());
            }
            // SAFETY: the block is as large now.
            unsafe { account::charge(block, new_size) };
            return block;
        }
        // SAFETY: the caller has checked the new size against overflow, and it is not 0.
        unsafe {
            let target = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !target.is_null() {
                ptr::copy_nonoverlapping(block, target, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            target
        }
    }
}

/// Clears a block. It stands in place of `memset`: a call of that costs as much as clearing the small blocks that come
/// most often. Blocks are multiples of a word, for every requested size.
///
/// # Safety
/// The block is the caller's, with `size` bytes rounded up to a word.
#[inline]
unsafe fn clear(block: *mut u8, size: usize) {
    #[expect(clippy::manual_div_ceil, reason = "a layout's size is too small to overflow, which this need not look at")]
    let words = (size + 7) / 8;
    // SAFETY: the caller's promise; the direction flag is clear in Rust code.
    unsafe {
        core::arch::asm!(
            "rep stosq",
            inout("rcx") words => _,
            inout("rdi") block => _,
            in("rax") 0_u64,
            options(nostack, preserves_flags)
        );
    }
}

/// Makes a block from the general allocator larger or smaller where it is, if there is room. Its account is lost then.
///
/// # Safety
/// The block is the caller's, and came from `allocate`.
unsafe fn resize_in_place(block: *mut u8, layout: Layout, new_size: usize) -> bool {
    let new = Layout::from_size_align(new_size, layout.align()).ok().and_then(account::with_room);
    match (account::with_room(layout), new) {
        // SAFETY: the caller's promise.
        (Some(old), Some(new)) => unsafe { heap_core::resize_in_place(block, old, new.size()) },
        _ => false,
    }
}

/// A block without a class, or null.
#[inline(never)]
fn allocate_large(layout: Layout) -> *mut u8 {
    let Some(with_room) = account::with_room(layout) else { return ptr::null_mut() };
    // SAFETY: it is not for nothing.
    charged(unsafe { heap_core::allocate(with_room) }, layout.size())
}

/// A block of a class that is not in stock, or null.
#[cold]
#[inline(never)]
fn allocate_batch(class: Class, size: usize, irq_off: InterruptGuard) -> *mut u8 {
    drop(irq_off);
    charged(heap_core::allocate_batch(class), size)
}

fn charged(block: *mut u8, size: usize) -> *mut u8 {
    if !block.is_null() {
        // SAFETY: the block is fresh, and has room for its account.
        unsafe { account::charge(block, size) };
    }
    block
}

/// Takes back a block that is off its account.
///
/// # Safety
/// The caller gives the block away, which has this layout.
#[inline]
unsafe fn give_back(block: *mut u8, layout: Layout) {
    // SAFETY: the block is the caller's, with its account.
    unsafe { clear(block, layout.size() + account::SIZE) };
    let Some(class) = Class::of(layout.size(), layout.align()) else {
        // SAFETY: the caller's promise.
        return unsafe { give_back_large(block, layout) };
    };
    let irq_off = InterruptGuard::new();
    // SAFETY: the guard lives, and the caller gives the block away.
    if unsafe { heap_core::local(&irq_off).put(class, block) } > max_kept(class) {
        spill(class, irq_off);
    }
}

/// Takes back a block on an account that is not open: that of a task that has ended, or of no task. A block that is free
/// already is left alone: an error to its second giver would gain nothing, but the next two callers that ask for memory
/// must not get the same block.
///
/// # Safety
/// As for [`give_back`].
#[cold]
#[inline(never)]
unsafe fn give_back_late(account: Account, block: *mut u8, layout: Layout) {
    account.undo(layout.size());
    if account == Account::FREE {
        return heap_core::note_refused();
    }
    // SAFETY: the caller's promise.
    unsafe { give_back(block, layout) };
}

/// # Safety
/// As for [`give_back`], of a block without a class.
#[inline(never)]
unsafe fn give_back_large(block: *mut u8, layout: Layout) {
    if let Some(layout) = account::with_room(layout) {
        // SAFETY: without a class it came from `allocate`, with room for its account; the caller gives it away.
        unsafe { heap_core::deallocate(block, layout) };
    }
}

/// Gives a batch back.
#[cold]
#[inline(never)]
fn spill(class: Class, irq_off: InterruptGuard) {
    // SAFETY: the guard lives.
    unsafe { heap_core::deallocate_batch(class, heap_core::local(&irq_off)) };
}

/// Called by `alloc` before each allocation, so that no crate comes to rely on the compiler's own shim.
#[rustc_std_internal_symbol]
fn __rust_no_alloc_shim_is_unstable_v2() {}

/// Called by `alloc` when an allocation that must not fail did: unwinds the task that asked.
#[rustc_std_internal_symbol]
#[cold]
fn __rust_alloc_error_handler(size: usize, alignment: usize) -> ! {
    fault_context::declare(FaultKind::OutOfMemory);
    panic!("out of memory: {size} bytes aligned to {alignment}")
}
