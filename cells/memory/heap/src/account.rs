//! The account of a block: it stands in the word behind the last requested one.

use core::alloc::Layout;

use heap_accounts::Account;

/// Bytes behind a block's last word, for its account.
pub(crate) const SIZE: usize = size_of::<Account>();

/// The layout for the general allocator in place of `layout`; `None` if there is no such size.
pub(crate) fn with_room(layout: Layout) -> Option<Layout> {
    let size = layout.size().checked_next_multiple_of(SIZE)?.checked_add(SIZE)?;
    Layout::from_size_align(size, layout.align()).ok()
}

/// Where a block of `size` bytes has its account.
#[inline]
fn place_of(block: *mut u8, size: usize) -> *mut u64 {
    // Sizes are too small for this to overflow.
    block.wrapping_add((size + 7) & !7).cast()
}

/// Puts a block on the account of the task that runs, if one does.
///
/// # Safety
/// The block is the caller's, and has room for its account behind `size` bytes.
#[inline]
pub(crate) unsafe fn charge(block: *mut u8, size: usize) {
    let account = fault_context::current().map_or(Account::NOBODY, |context| {
        context.heap_account.charge(size);
        context.heap_account
    });
    // SAFETY: the caller's promise; blocks are aligned to words.
    unsafe { place_of(block, size).write(account.number()) };
}

/// The account that a block is on.
///
/// # Safety
/// The block is the caller's, and was charged with `size`.
#[inline]
pub(crate) unsafe fn of(block: *mut u8, size: usize) -> Account {
    // SAFETY: the caller's promise.
    Account::of_number(unsafe { place_of(block, size).read() })
}
