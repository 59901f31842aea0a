//! The sizes in which small blocks of the heap are kept ready, and how many of each.
//!
//! Guarantees: a block of [`Class::of`] a request is large enough and aligned enough for it; a request that has no class
//! is one that the general allocator must serve. Nothing here touches hardware.
#![no_std]
#![forbid(unsafe_code)]

/// How many classes there are.
const COUNT: u8 = 12;
const LARGEST_SIZE: u16 = 1024;
/// The largest request that has a class.
pub const LARGEST: usize = LARGEST_SIZE as usize;
/// Every block is aligned to this, and no request with more has a class.
pub const ALIGNMENT: usize = 16;
/// Room for all classes in arrays that are indexed without a bounds check: a power of two.
pub const PLACES: usize = 16;

/// Bytes of each class: powers of two and the steps half-way between, so that at most a third of a block is unused. The
/// places after the last class repeat it.
const SIZES: [u16; PLACES] = [
    16,
    32,
    48,
    64,
    96,
    128,
    192,
    256,
    384,
    512,
    768,
    LARGEST_SIZE,
    LARGEST_SIZE,
    LARGEST_SIZE,
    LARGEST_SIZE,
    LARGEST_SIZE,
];

/// Blocks of each class in a batch: about a KiB, so that the lock is taken seldom and little lies idle.
const BATCHES: [u16; PLACES] = {
    let mut batches = [0; PLACES];
    let mut place = 0;
    while place < PLACES {
        batches[place] = match LARGEST_SIZE / SIZES[place] {
            0..2 => 2,
            16.. => 16,
            blocks => blocks,
        };
        place += 1;
    }
    batches
};

const GRANULE: usize = 16;
/// The class for each last granule that a request reaches into, counted from 0.
const CLASS_OF: [u8; LARGEST / GRANULE] = {
    let mut table = [0; LARGEST / GRANULE];
    let (mut last, mut class) = (0, 0u8);
    while last < table.len() {
        if (last + 1) * GRANULE > SIZES[class as usize] as usize {
            class += 1;
        }
        table[last] = class;
        last += 1;
    }
    table
};

/// One size of block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(u8);

impl Class {
    /// The class that serves a request; `None` if it is for nothing, too large or wants too much alignment.
    #[inline]
    pub fn of(size: usize, alignment: usize) -> Option<Self> {
        if alignment > ALIGNMENT {
            return None;
        }
        CLASS_OF.get(size.wrapping_sub(1) / GRANULE).copied().map(Self)
    }

    /// All of them, smallest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..COUNT).map(Self)
    }

    /// Its place in an array of [`PLACES`].
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize % PLACES
    }

    /// The largest request that it serves, bytes.
    #[inline]
    pub fn size(self) -> usize {
        SIZES[self.index()] as usize
    }

    /// Bytes in each block: there is a word behind the requested bytes, in which the heap notes the block's account.
    #[inline]
    pub fn block_size(self) -> usize {
        self.size() + size_of::<u64>()
    }

    /// How many blocks are fetched from the general allocator, or given back to it, at a time.
    #[inline]
    pub fn batch(self) -> usize {
        BATCHES[self.index()] as usize
    }

    /// How many blocks a CPU keeps.
    #[inline]
    pub fn limit(self) -> usize {
        2 * self.batch()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_large_enough_and_not_a_third_too_large() {
        for size in 1..=LARGEST {
            let class = Class::of(size, 8).unwrap();
            assert!(class.size() >= size);
            assert!(size <= 16 || class.size() * 2 <= size * 3 + 32, "{size} in {}", class.size());
            if class.index() > 0 {
                assert!(SIZES[class.index() - 1] as usize % GRANULE == 0 && (SIZES[class.index() - 1] as usize) < size);
            }
        }
    }

    #[test]
    fn what_is_too_much_has_no_class() {
        assert_eq!(Class::of(LARGEST + 1, 1), None);
        assert_eq!(Class::of(usize::MAX, 1), None);
        assert_eq!(Class::of(0, 1), None);
        assert_eq!(Class::of(16, 32), None);
    }

    #[test]
    fn a_class_is_found_by_its_own_size() {
        for class in Class::all() {
            assert_eq!(Class::of(class.size(), ALIGNMENT), Some(class));
            assert!(class.batch() < class.limit());
        }
    }
}
