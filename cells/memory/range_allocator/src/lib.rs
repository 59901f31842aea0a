//! Hands out consecutive numbers, each at most once, from a map of one bit per number.
//!
//! `frames` and `pages` stand on this; the numbers are theirs to interpret. Guarantees: a number is never handed out
//! twice without a [`RangeAllocator::free`] in between; a wrong `free` or `reserve` changes nothing and names the
//! error; the lowest fitting place is chosen, so that the structures above (page tables) stay compact and repeat from
//! run to run. The map is borrowed, nothing is allocated, and freeing cannot fail for want of memory: that is why it is a
//! map of bits and not a tree of ranges. Nothing here touches hardware.
#![no_std]
#![forbid(unsafe_code)]

use core::fmt;
use core::ops::Range;

const BITS: usize = u64::BITS as usize;

/// Words of map that `length` numbers need.
#[inline]
pub const fn words_for(length: usize) -> usize {
    length.div_ceil(BITS)
}

/// Why a range could not be taken or given back. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeError {
    /// The range is empty, or part of it lies outside the numbers that this allocator knows.
    OutOfBounds,
    /// The number is not free.
    Taken(usize),
    /// The number is free already: the caller gives back a number that it does not own.
    Free(usize),
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds => write!(f, "range is empty or out of bounds"),
            Self::Taken(number) => write!(f, "number {number} is taken"),
            Self::Free(number) => write!(f, "number {number} is free already"),
        }
    }
}

/// The allocator: numbers `0..length`, a set bit for each that is taken.
pub struct RangeAllocator<'map> {
    words: &'map mut [u64],
    length: usize,
    taken: usize,
    /// No number in a word below this one is free.
    lowest: usize,
}

impl<'map> RangeAllocator<'map> {
    /// All of `0..length` free. `length` is cut to the capacity of the map.
    pub fn all_free(words: &'map mut [u64], length: usize) -> Self {
        words.fill(0);
        let length = length.min(words.len() * BITS);
        Self { words, length, taken: 0, lowest: 0 }
    }

    /// All of `0..length` taken. `length` is cut to the capacity of the map.
    pub fn all_taken(words: &'map mut [u64], length: usize) -> Self {
        words.fill(u64::MAX);
        let length = length.min(words.len() * BITS);
        let lowest = words.len();
        Self { words, length, taken: length, lowest }
    }

    /// How many numbers there are.
    #[inline]
    pub fn length(&self) -> usize {
        self.length
    }

    /// How many of them are free.
    #[inline]
    pub fn free_count(&self) -> usize {
        self.length - self.taken
    }

    /// Whether the number exists and is free.
    pub fn is_free(&self, number: usize) -> bool {
        number < self.length && self.words[number / BITS] & (1 << (number % BITS)) == 0
    }

    /// Takes the lowest `count` consecutive free numbers.
    pub fn allocate(&mut self, count: usize) -> Option<usize> {
        self.allocate_within(0..self.length, count, 1)
    }

    /// Takes the lowest `count` consecutive free numbers of `within` that start at a multiple of `alignment`.
    pub fn allocate_within(&mut self, within: Range<usize>, count: usize, alignment: usize) -> Option<usize> {
        let end = within.end.min(self.length);
        if count == 0 || alignment == 0 || count > self.free_count() {
            return None;
        }
        self.skip_full_words();
        let mut start = within.start.max(self.lowest * BITS);
        loop {
            start = self.next_free(start, end)?.checked_next_multiple_of(alignment)?;
            let stop = start.checked_add(count).filter(|stop| *stop <= end)?;
            match self.first_matching(start, stop, true) {
                None => break,
                Some(taken) => start = taken + 1,
            }
        }
        self.mark(start, count, true);
        Some(start)
    }

    /// Takes exactly these numbers.
    ///
    /// # Errors
    /// [`RangeError`]: one of the numbers is taken or out of bounds. Nothing is taken.
    pub fn reserve(&mut self, start: usize, count: usize) -> Result<(), RangeError> {
        let end = self.end_of(start, count)?;
        if let Some(number) = self.first_matching(start, end, true) {
            return Err(RangeError::Taken(number));
        }
        self.mark(start, count, true);
        Ok(())
    }

    /// Takes those of `start..start + count` that exist and are free, and says how many they were.
    pub fn reserve_overlapping(&mut self, start: usize, count: usize) -> usize {
        self.mark_overlapping(start, count, true)
    }

    /// Gives back those of `start..start + count` that exist and are taken, and says how many they were.
    pub fn free_overlapping(&mut self, start: usize, count: usize) -> usize {
        self.lowest = self.lowest.min(start / BITS);
        self.mark_overlapping(start, count, false)
    }

    fn mark_overlapping(&mut self, start: usize, count: usize, taken: bool) -> usize {
        let end = start.saturating_add(count).min(self.length);
        let mut changed = 0;
        let mut at = start;
        while let Some(first) = self.first_matching(at, end, !taken) {
            let stop = self.first_matching(first, end, taken).unwrap_or(end);
            self.mark(first, stop - first, taken);
            changed += stop - first;
            at = stop;
        }
        changed
    }

    /// Gives numbers back.
    ///
    /// # Errors
    /// [`RangeError`]: one of the numbers is free already or out of bounds. Nothing is given back.
    pub fn free(&mut self, start: usize, count: usize) -> Result<(), RangeError> {
        let end = self.end_of(start, count)?;
        if let Some(number) = self.first_matching(start, end, false) {
            return Err(RangeError::Free(number));
        }
        self.mark(start, count, false);
        self.lowest = self.lowest.min(start / BITS);
        Ok(())
    }

    fn end_of(&self, start: usize, count: usize) -> Result<usize, RangeError> {
        match start.checked_add(count) {
            Some(end) if count > 0 && end <= self.length => Ok(end),
            _ => Err(RangeError::OutOfBounds),
        }
    }

    fn skip_full_words(&mut self) {
        while self.words.get(self.lowest) == Some(&u64::MAX) {
            self.lowest += 1;
        }
    }

    fn next_free(&self, start: usize, end: usize) -> Option<usize> {
        self.first_matching(start, end, false)
    }

    /// The lowest number of `start..end` that is taken, or that is free, as asked.
    fn first_matching(&self, start: usize, end: usize, taken: bool) -> Option<usize> {
        let flip = if taken { 0 } else { u64::MAX };
        let mut at = start;
        while at < end {
            let wanted = (self.words[at / BITS] ^ flip) >> (at % BITS);
            if wanted != 0 {
                let found = at + wanted.trailing_zeros() as usize;
                return (found < end).then_some(found);
            }
            at = (at / BITS + 1) * BITS;
        }
        None
    }

    fn mark(&mut self, start: usize, count: usize, taken: bool) {
        let end = start + count;
        let mut at = start;
        while at < end {
            let stop = end.min((at / BITS + 1) * BITS);
            let mask = (u64::MAX >> (BITS - (stop - at))) << (at % BITS);
            let word = &mut self.words[at / BITS];
            *word = if taken { *word | mask } else { *word & !mask };
            at = stop;
        }
        self.taken = if taken { self.taken + count } else { self.taken - count };
    }
}
