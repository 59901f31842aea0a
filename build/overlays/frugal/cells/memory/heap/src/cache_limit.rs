//! How many free blocks a CPU keeps: the frugal way, for little memory.
//!
//! What a block's size is, and hence where it goes back to, is not decided here: blocks outlive the front that handed
//! them out.

use size_classes::Class;

/// What this way is called.
pub(crate) const NAME: &str = "frugal";

/// How many blocks of the class a CPU keeps before it gives a batch back: of large ones, none.
#[inline]
pub(crate) fn limit(class: Class) -> usize {
    /// A page's worth of small blocks on each CPU is little; of large ones it would be the batch and no more.
    const SMALL: usize = 64;
    if class.size() <= SMALL { class.batch() } else { 0 }
}
