//! Frames and pages of 4 KiB, and ranges of them.
//!
//! Guarantees to everything above: a [`Frame`] starts at a multiple of 4 KiB below 2^52, a [`Page`] at a multiple of
//! 4 KiB in canonical space, and a range never wraps around or crosses the non-canonical hole. The types carry no
//! ownership; `frames` and `pages` add that. Nothing here touches hardware, so it is tested on the host.
#![no_std]
#![forbid(unsafe_code)]

mod range;

pub use range::{FrameRange, PageRange};
pub use x86_64::{PhysAddr, VirtAddr};

/// Bytes in a frame and in a page. Larger pages are not used: ownership, rights and guards are per 4 KiB.
pub const PAGE_SIZE: usize = 4096;
const SHIFT: u32 = PAGE_SIZE.trailing_zeros();

/// One more than the highest frame number that the architecture can express (52 physical address bits).
pub const FRAME_LIMIT: u64 = 1 << (52 - SHIFT);

/// One 4 KiB frame of physical memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame(u64);

impl Frame {
    /// The frame that holds `address`.
    #[inline]
    pub const fn containing(address: PhysAddr) -> Self {
        Self(address.as_u64() >> SHIFT)
    }

    /// The frame with this number, if the architecture can express its address.
    #[inline]
    pub const fn from_number(number: u64) -> Option<Self> {
        if number < FRAME_LIMIT { Some(Self(number)) } else { None }
    }

    /// Its number: the address divided by 4 KiB.
    #[inline]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Its first byte.
    #[inline]
    pub const fn start(self) -> PhysAddr {
        PhysAddr::new_truncate(self.0 << SHIFT)
    }

    /// This frame alone, as a range.
    #[inline]
    pub const fn as_range(self) -> FrameRange {
        FrameRange::single(self)
    }
}

/// One 4 KiB page of virtual memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Page(u64);

impl Page {
    /// The page that holds `address`.
    #[inline]
    pub const fn containing(address: VirtAddr) -> Self {
        Self(address.as_u64() >> SHIFT)
    }

    /// The page with this number, if its address is canonical.
    #[inline]
    pub const fn from_number(number: u64) -> Option<Self> {
        match number.checked_mul(PAGE_SIZE as u64) {
            Some(address) => match VirtAddr::try_new(address) {
                Ok(_) => Some(Self(number)),
                Err(_) => None,
            },
            None => None,
        }
    }

    /// Its number: the address divided by 4 KiB.
    #[inline]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Its first byte.
    #[inline]
    pub const fn start(self) -> VirtAddr {
        VirtAddr::new_truncate(self.0 << SHIFT)
    }

    /// This page alone, as a range.
    #[inline]
    pub const fn as_range(self) -> PageRange {
        PageRange::single(self)
    }
}

/// How many pages hold `bytes` bytes.
#[inline]
pub const fn pages_for(bytes: usize) -> usize {
    bytes.div_ceil(PAGE_SIZE)
}

#[cfg(test)]
mod tests;
