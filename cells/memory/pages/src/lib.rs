//! Pages of virtual memory, each with one owner.
//!
//! An [`AllocatedPages`] is the only claim to its pages: it cannot be copied, splits and merges without overlap, and its
//! pages are free for others as soon as it is dropped. It says nothing about the frames mapped there; `mapping` does, and
//! drops the claim only when nothing is mapped any more. The address space is divided into [`Region`]s once and for
//! all. Running out is an error, giving back cannot fail.
#![no_std]

mod region;

use core::fmt;
use core::mem::ManuallyDrop;

use addresses::{Page, PageRange};
use range_allocator::RangeError;

pub use region::Region;

/// Why there are no pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagesError {
    /// No run of this many free pages is left in the region.
    OutOfPages {
        /// Where.
        region: Region,
        /// How many were asked for.
        count: usize,
    },
    /// The page has an owner.
    Taken(Page),
    /// The range is empty or lies in no region.
    OutOfBounds,
}

impl fmt::Display for PagesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfPages { region, count } => write!(f, "no run of {count} free pages is left in {region}"),
            Self::Taken(page) => write!(f, "page {:#x} is taken", page.start()),
            Self::OutOfBounds => write!(f, "no such range of pages"),
        }
    }
}

impl core::error::Error for PagesError {}

/// Consecutive pages with this value as their only owner. Dropping it makes them free.
#[derive(Debug)]
#[must_use = "dropping it frees the pages at once"]
pub struct AllocatedPages {
    range: PageRange,
}

/// Takes `count` consecutive pages that the caller may use for anything.
///
/// # Errors
/// [`PagesError`]: no run of free pages is so long.
pub fn allocate(count: usize) -> Result<AllocatedPages, PagesError> {
    allocate_in(Region::General, count)
}

/// Takes `count` consecutive pages of the region.
///
/// # Errors
/// [`PagesError`]: no run of free pages is so long.
pub fn allocate_in(region: Region, count: usize) -> Result<AllocatedPages, PagesError> {
    let index = region.with_map(|map| map.allocate(count));
    let range = index.and_then(|index| region.range(index, count));
    range.map(|range| AllocatedPages { range }).ok_or(PagesError::OutOfPages { region, count })
}

/// Takes exactly these pages.
///
/// # Errors
/// [`PagesError`]: a page has an owner, or is out of bounds.
pub fn allocate_at(range: PageRange) -> Result<AllocatedPages, PagesError> {
    let (region, index) = Region::of(range).ok_or(PagesError::OutOfBounds)?;
    match region.with_map(|map| map.reserve(index, range.count())) {
        Ok(()) => Ok(AllocatedPages { range }),
        Err(RangeError::Taken(taken)) => {
            Err(region.range(taken, 1).map_or(PagesError::OutOfBounds, |range| PagesError::Taken(range.first())))
        }
        Err(RangeError::OutOfBounds | RangeError::Free(_)) => Err(PagesError::OutOfBounds),
    }
}

impl AllocatedPages {
    /// Takes up a claim that [`Self::into_range`] put down.
    ///
    /// # Safety
    /// The range was put down and not taken up since.
    pub unsafe fn from_range(range: PageRange) -> Self {
        Self { range }
    }

    /// Puts the claim down: the pages stay taken, for ever or until an owner takes the claim up again.
    pub fn into_range(self) -> PageRange {
        ManuallyDrop::new(self).range
    }

    /// Which pages.
    pub fn range(&self) -> PageRange {
        self.range
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.range.count()
    }

    /// The first `count` and the rest. Gives the claim back if there are not more than `count`, or `count` is 0.
    ///
    /// # Errors
    /// The claim itself, as said.
    pub fn split(self, count: usize) -> Result<(Self, Self), Self> {
        match self.range.split_at(count) {
            Some((head, tail)) if !head.is_empty() && !tail.is_empty() => {
                let _whole = ManuallyDrop::new(self);
                Ok((Self { range: head }, Self { range: tail }))
            }
            _ => Err(self),
        }
    }

    /// Both as one, if `next` begins where this ends. Gives both back otherwise.
    ///
    /// # Errors
    /// Both claims, as said.
    pub fn merge(self, next: Self) -> Result<Self, (Self, Self)> {
        match self.range.join(&next.range) {
            Some(range) => {
                let (_head, _tail) = (ManuallyDrop::new(self), ManuallyDrop::new(next));
                Ok(Self { range })
            }
            None => Err((self, next)),
        }
    }
}

impl Drop for AllocatedPages {
    fn drop(&mut self) {
        if let Some((region, index)) = Region::of(self.range) {
            // A claim covers taken pages by construction; were it wrong all the same, keeping them is the safe side.
            let _kept = region.with_map(|map| map.free(index, self.range.count()));
        }
    }
}
