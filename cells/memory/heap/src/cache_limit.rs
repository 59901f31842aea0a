//! How many free blocks a CPU keeps: the generous way, for speed.
//!
//! What a block's size is, and hence where it goes back to, is not decided here: blocks outlive the front that handed
//! them out.

use size_classes::Class;

/// What this way is called.
pub(crate) const NAME: &str = "generous";

/// How many blocks of the class a CPU keeps before it gives a batch back.
#[inline]
pub(crate) fn limit(class: Class) -> usize {
    class.limit()
}
