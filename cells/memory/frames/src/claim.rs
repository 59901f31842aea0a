//! The claim to frames.

use core::mem::ManuallyDrop;

use addresses::FrameRange;

use crate::Purpose;
use crate::statistics::{charge, refund};

/// Consecutive frames with this value as their only owner. Dropping it makes them free.
#[derive(Debug)]
#[must_use = "dropping it frees the frames at once"]
pub struct AllocatedFrames {
    range: FrameRange,
    purpose: Purpose,
}

impl AllocatedFrames {
    pub(crate) fn claim(range: FrameRange, purpose: Purpose) -> Self {
        charge(purpose, range.count());
        Self { range, purpose }
    }

    /// Takes up a claim that [`Self::into_range`] put down.
    ///
    /// # Safety
    /// The frames were put down for this purpose and not taken up since. Only mappings that the caller answers for lead
    /// to them.
    pub unsafe fn from_range(range: FrameRange, purpose: Purpose) -> Self {
        Self { range, purpose }
    }

    /// Takes up a claim to memory that was reserved at [`crate::init`], such as a part of the seed image.
    ///
    /// # Safety
    /// No other owner claims these frames, and they are usable memory. Only mappings that the caller answers for lead to
    /// them.
    pub unsafe fn adopt(range: FrameRange, purpose: Purpose) -> Self {
        crate::inventory::take_up(range);
        Self::claim(range, purpose)
    }

    /// Puts the claim down: the frames stay taken and counted, some other record (a page table entry) now owns them.
    pub fn into_range(self) -> FrameRange {
        ManuallyDrop::new(self).range
    }

    /// Which frames.
    pub fn range(&self) -> FrameRange {
        self.range
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.range.count()
    }

    /// The purpose of the frames.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The first `count` and the rest. Gives the claim back if there are not more than `count`, or `count` is 0.
    ///
    /// # Errors
    /// The claim itself, as said.
    pub fn split(self, count: usize) -> Result<(Self, Self), Self> {
        match self.range.split_at(count) {
            Some((head, tail)) if !head.is_empty() && !tail.is_empty() => {
                let this = ManuallyDrop::new(self);
                Ok((Self { range: head, purpose: this.purpose }, Self { range: tail, purpose: this.purpose }))
            }
            _ => Err(self),
        }
    }

    /// Both as one, if `next` begins where this ends and is for the same. Gives both back otherwise.
    ///
    /// # Errors
    /// Both claims, as said.
    pub fn merge(self, next: Self) -> Result<Self, (Self, Self)> {
        match self.range.join(&next.range) {
            Some(range) if self.purpose == next.purpose => {
                let (this, _next) = (ManuallyDrop::new(self), ManuallyDrop::new(next));
                Ok(Self { range, purpose: this.purpose })
            }
            _ => Err((self, next)),
        }
    }
}

impl Drop for AllocatedFrames {
    fn drop(&mut self) {
        refund(self.purpose, self.range.count());
        crate::give_back(self.range);
    }
}
