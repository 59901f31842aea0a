//! The kernel heap's front: what `alloc` calls.
//!
//! Small requests are served from the CPU's own stock, without a lock, in a few dozen instructions; the others, and
//! the stock's refills, from the general allocator in `heap_core`, where all state is. Guarantees to every cell: when
//! memory runs out an allocation is null, and code that cannot live with that (`Box::new`, `Vec::push`) panics, which
//! unwinds the task that asked. Memory that is given back is cleared: a scan for references to replaced cells goes over
//! the heap and must not find what nobody has any more.
//!
//! This cell also defines the two symbols that the compiler otherwise adds at a final link, which Mitos does not have.
#![no_std]
#![feature(rustc_attrs)]
#![allow(internal_features, reason = "`rustc_attrs` names the symbols that the compiler calls")]

mod stocking;

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use cpu_local::InterruptGuard;
use fault_context::FaultKind;
use size_classes::Class;

pub use heap_core::{Statistics, initialise, statistics, trim};

/// What the way in which free blocks are kept is called: it differs between the builds of this cell.
pub fn stocking() -> &'static str {
    stocking::NAME
}

/// The allocator behind `alloc`.
#[derive(Debug)]
pub struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

// SAFETY: blocks come from `heap_core`, which gives each to one caller; a block's class is computed from its layout
// alone, so it goes back where it came from.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = match Class::of(layout.size(), layout.align()) {
            Some(class) => {
                let quiet = InterruptGuard::new();
                // SAFETY: the guard lives.
                match unsafe { heap_core::local(&quiet).take(class) } {
                    Some(block) => block.as_ptr(),
                    None => {
                        drop(quiet);
                        heap_core::allocate_batch(class)
                    }
                }
            }
            // SAFETY: `GlobalAlloc` is never asked for nothing.
            None => unsafe { heap_core::allocate(layout) },
        };
        if !block.is_null() {
            charge(layout.size());
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        discharge(layout.size());
        // SAFETY: the caller gives the block away, all of it.
        unsafe { clear(block, layout.size()) };
        match Class::of(layout.size(), layout.align()) {
            Some(class) => {
                let quiet = InterruptGuard::new();
                // SAFETY: the guard lives, and the caller gives the block away.
                if unsafe { heap_core::local(&quiet).put(class, block) } > stocking::limit(class) {
                    spill(class, &quiet);
                }
            }
            // SAFETY: without a class it came from `allocate`; the caller gives it away.
            None => unsafe { heap_core::deallocate(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if new_size < layout.size() {
            // What is cut off is given back: to the general allocator, or with the rest of the block, which is then cleared
            // as far as the new size says. Words to the new end belong to the block.
            let kept = new_size.next_multiple_of(size_of::<u64>());
            // SAFETY: the caller gives away what lies behind the new size, as far as the old one reaches.
            unsafe { clear(block.add(kept), layout.size().saturating_sub(kept)) };
        }
        let (old, new) = (Class::of(layout.size(), layout.align()), Class::of(new_size, layout.align()));
        if old.is_some() && old == new {
            discharge(layout.size());
            charge(new_size);
            return block;
        }
        // SAFETY: without a class it came from `allocate`, and stays without one.
        if old.is_none() && new.is_none() && unsafe { heap_core::resize_in_place(block, layout, new_size) } {
            discharge(layout.size());
            charge(new_size);
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

/// Clears a block. In place of `memset`, whose call costs as much as clearing the small blocks that come most often;
/// blocks are multiples of a word, whatever was asked for.
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

/// Counts bytes for the running task: what it has not freed when it ends bounds what its lost frames leaked.
#[inline]
fn charge(bytes: usize) {
    fault_context::charge(bytes.cast_signed() as i64);
}

#[inline]
fn discharge(bytes: usize) {
    fault_context::charge(-(bytes.cast_signed() as i64));
}

/// Gives a batch back.
#[cold]
fn spill(class: Class, quiet: &InterruptGuard) {
    // SAFETY: the guard lives.
    unsafe { heap_core::deallocate_batch(class, heap_core::local(quiet)) };
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
