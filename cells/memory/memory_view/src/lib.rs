//! A view of memory, made for applications.
//!
//! To an application: counts of frames and of the heap's bytes, as they are now. It gives no frame and no page away. The one
//! function that changes anything is [`reclaim`]; the worst that it does is to empty caches, which then fill again. Nothing
//! here fails.
#![no_std]
#![forbid(unsafe_code)]

pub use frames::Purpose;

/// The frames of usable memory, by purpose.
pub fn frames() -> frames::Statistics {
    frames::statistics()
}

/// The bytes of the heap.
pub fn heap() -> heap::Statistics {
    heap::statistics()
}

/// How many free blocks of the heap a CPU keeps, in words.
pub fn cache_limit() -> &'static str {
    heap::cache_limit()
}

/// Asks the cells that keep spare frames to give them back. Returns the number of frames that are free again.
pub fn reclaim() -> usize {
    frames::reclaim()
}
