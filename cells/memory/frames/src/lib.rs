//! Frames of physical memory, each with one owner.
//!
//! An [`AllocatedFrames`] is the only claim to its frames: it cannot be copied, splits and merges without overlap, and
//! gives the frames back when dropped. Every claim names its [`Purpose`], so that `mem` can show the uses of the
//! memory. Running out is an error ([`FramesError::OutOfMemory`]) after the keepers of spare frames ([`SPARE_FRAMES`])
//! have been asked for them; giving back cannot fail.
//!
//! Memory outside the usable regions, or reserved at [`init`] (the seed, the archive, the firmware's tables), is never
//! handed out; [`is_managed`] tells the two kinds apart.
#![no_std]

mod claim;
mod inventory;
mod pressure;
mod statistics;

use core::fmt;

use addresses::{Frame, FrameRange};
use spin_lock::SpinLock;

pub use claim::AllocatedFrames;
pub use inventory::{BootWindow, PhysicalRange, Storage, init, is_managed, storage};
pub use pressure::{SPARE_FRAMES, reclaim};
pub use statistics::{Purpose, Statistics, free, recount, statistics};

use inventory::Inventory;

static INVENTORY: SpinLock<Inventory> = SpinLock::new(Inventory::EMPTY);

/// Why there are no frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramesError {
    /// No run of this many free frames is left.
    OutOfMemory {
        /// How many were asked for.
        count: usize,
    },
    /// The frame has an owner, or is no memory.
    Taken(Frame),
    /// There is no such range: empty, or beyond the installed memory.
    OutOfBounds,
    /// [`init`] was given no memory that can hold the map of frames, or was not called.
    NoUsableMemory,
    /// More regions than there is room for: memory maps have a dozen.
    TooManyRegions,
}

impl fmt::Display for FramesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory { count: 1 } => write!(f, "no free frame is left"),
            Self::OutOfMemory { count } => write!(f, "no run of {count} free frames is left"),
            Self::Taken(frame) => write!(f, "frame {:#x} is taken", frame.start()),
            Self::OutOfBounds => write!(f, "no such range of frames"),
            Self::NoUsableMemory => write!(f, "no usable memory for the map of frames"),
            Self::TooManyRegions => write!(f, "too many memory regions"),
        }
    }
}

impl core::error::Error for FramesError {}

/// Takes `count` consecutive frames. The call may ask for spare frames to be given up, so the caller may hold no lock
/// that giving up needs; a caller with such a lock uses [`try_allocate`].
///
/// # Errors
/// [`FramesError::OutOfMemory`], after the reclaimers have been asked.
pub fn allocate(count: usize, purpose: Purpose) -> Result<AllocatedFrames, FramesError> {
    match try_allocate(count, purpose) {
        Err(FramesError::OutOfMemory { .. }) if reclaim() > 0 => try_allocate(count, purpose),
        outcome => outcome,
    }
}

/// Takes `count` consecutive frames if they are free now.
///
/// # Errors
/// [`FramesError::OutOfMemory`].
pub fn try_allocate(count: usize, purpose: Purpose) -> Result<AllocatedFrames, FramesError> {
    try_allocate_below(u64::MAX, count, 1, purpose)
}

/// Takes `count` consecutive frames with numbers below `limit`, the first a multiple of `alignment`: for devices and
/// for processors that start in real mode.
///
/// # Errors
/// [`FramesError::OutOfMemory`].
pub fn try_allocate_below(
    limit: u64,
    count: usize,
    alignment: usize,
    purpose: Purpose,
) -> Result<AllocatedFrames, FramesError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let first = INVENTORY.lock().map()?.allocate_within(0..limit, count, alignment);
    let range = first.and_then(|first| range_of(first, count)).ok_or(FramesError::OutOfMemory { count })?;
    Ok(AllocatedFrames::claim(range, purpose))
}

/// Takes exactly these frames.
///
/// # Errors
/// A frame has an owner, or is no memory.
pub fn allocate_at(range: FrameRange, purpose: Purpose) -> Result<AllocatedFrames, FramesError> {
    let first = usize::try_from(range.first().number()).map_err(|_| FramesError::OutOfBounds)?;
    match INVENTORY.lock().map()?.reserve(first, range.count()) {
        Ok(()) => Ok(AllocatedFrames::claim(range, purpose)),
        Err(range_allocator::RangeError::Taken(number)) => {
            Err(Frame::from_number(number as u64).map_or(FramesError::OutOfBounds, FramesError::Taken))
        }
        Err(_) => Err(FramesError::OutOfBounds),
    }
}

fn range_of(first: usize, count: usize) -> Option<FrameRange> {
    FrameRange::new(Frame::from_number(first as u64)?, count)
}

/// Puts frames back on the map. Only a claim's end calls this.
fn give_back(range: FrameRange) {
    let mut inventory = INVENTORY.lock();
    // A claim covers taken frames by construction; were it wrong all the same, keeping them is the safe side.
    if let (Ok(map), Ok(first)) = (inventory.map(), usize::try_from(range.first().number())) {
        let _kept = map.free(first, range.count());
    }
}
