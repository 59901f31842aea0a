//! Half-open ranges of frames and of pages. Both are written out by one macro, because a range of pages must also stay
//! on one side of the non-canonical hole and nothing else differs.

use crate::{Frame, PAGE_SIZE, Page, PhysAddr, VirtAddr};

macro_rules! range_type {
    ($(#[$doc:meta])* $range:ident of $unit:ident at $address:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $range {
            first: u64,
            count: usize,
        }

        impl $range {
            /// The range that starts with `first` and has `count` members, if all of them exist.
            pub const fn new(first: $unit, count: usize) -> Option<Self> {
                if count > 0 {
                    let Some(last) = first.number().checked_add(count as u64 - 1) else { return None };
                    if $unit::from_number(last).is_none() || !same_side(first.number(), last) {
                        return None;
                    }
                }
                Some(Self { first: first.number(), count })
            }

            /// One member.
            #[inline]
            pub const fn single(only: $unit) -> Self {
                Self { first: only.number(), count: 1 }
            }

            /// The smallest range that holds the `bytes` bytes from `start` on, if they all exist.
            pub const fn covering(start: $address, bytes: usize) -> Option<Self> {
                match bytes.checked_add(offset_in_page(start.as_u64())) {
                    Some(bytes) => Self::new($unit::containing(start), bytes.div_ceil(PAGE_SIZE)),
                    None => None,
                }
            }

            /// The first member; for an empty range, where it would be.
            #[inline]
            pub const fn first(&self) -> $unit {
                $unit(self.first)
            }

            /// The address of the first byte.
            #[inline]
            pub const fn start(&self) -> $address {
                self.first().start()
            }

            /// How many members there are.
            #[inline]
            pub const fn count(&self) -> usize {
                self.count
            }

            /// How many bytes there are.
            #[inline]
            pub const fn bytes(&self) -> usize {
                self.count * PAGE_SIZE
            }

            /// Whether there is no member.
            #[inline]
            pub const fn is_empty(&self) -> bool {
                self.count == 0
            }

            /// The number after the last member's.
            #[inline]
            pub const fn end_number(&self) -> u64 {
                self.first + self.count as u64
            }

            /// Member `index`, counted from 0.
            #[inline]
            pub const fn get(&self, index: usize) -> Option<$unit> {
                if index < self.count { Some($unit(self.first + index as u64)) } else { None }
            }

            /// Whether `member` belongs to the range.
            #[inline]
            pub const fn contains(&self, member: $unit) -> bool {
                member.number() >= self.first && member.number() < self.end_number()
            }

            /// Whether the byte at `address` belongs to the range.
            #[inline]
            pub const fn contains_address(&self, address: $address) -> bool {
                self.contains($unit::containing(address))
            }

            /// Whether the two have a member in common.
            pub const fn overlaps(&self, other: &Self) -> bool {
                self.count > 0 && other.count > 0 && self.first < other.end_number() && other.first < self.end_number()
            }

            /// The first `count` members and the rest; `None` if there are fewer.
            pub const fn split_at(&self, count: usize) -> Option<(Self, Self)> {
                if count > self.count {
                    return None;
                }
                Some((
                    Self { first: self.first, count },
                    Self { first: self.first + count as u64, count: self.count - count },
                ))
            }

            /// Both as one range, if `next` begins where this one ends.
            pub const fn join(&self, next: &Self) -> Option<Self> {
                if self.end_number() != next.first {
                    return None;
                }
                $range::new($unit(self.first), self.count() + next.count())
            }

            /// All members in order.
            #[inline]
            pub fn iter(&self) -> impl ExactSizeIterator<Item = $unit> + use<> {
                let first = self.first;
                (0..self.count).map(move |index| $unit(first + index as u64))
            }
        }
    };
}

/// Whether both numbers lie on one side of the non-canonical hole. Frame numbers always do.
const fn same_side(first: u64, last: u64) -> bool {
    const UPPER_HALF: u64 = 1 << 51;
    (first & UPPER_HALF) == (last & UPPER_HALF)
}

/// How far into its page or frame the address is.
#[expect(clippy::cast_possible_truncation, reason = "it is less than 4096")]
const fn offset_in_page(address: u64) -> usize {
    (address % PAGE_SIZE as u64) as usize
}

range_type! {
    /// Consecutive frames.
    FrameRange of Frame at PhysAddr
}
range_type! {
    /// Consecutive pages.
    PageRange of Page at VirtAddr
}
