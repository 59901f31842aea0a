//! The initial image of every task's thread locals.
//!
//! Thread locals lie below the thread pointer: each cell that has some owns a block at a fixed distance, the same in
//! every task. Guarantees to the loader: a block, once published, exists in every task, also in tasks older than the
//! cell; its initial bytes are exactly as many as were reserved, so no block reaches into another. Guarantees to the maker
//! of a task: [`initialise`] fills exactly the bytes that published blocks own.
//!
//! It fails when the 64 KiB that each task reserves are used up, or when memory for the tasks that run cannot be had;
//! then the block does not exist in any task.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use hook::Hook;
use spin_lock::SpinLock;

/// Bytes below the thread pointer that each task reserves.
pub const CAPACITY: usize = 64 * 1024;

struct Block {
    /// From the thread pointer down to the first byte.
    distance: usize,
    size: usize,
    /// `size` bytes; empty until the block is published.
    bytes: Box<[u8]>,
}

static BLOCKS: SpinLock<Vec<Block>> = SpinLock::new(Vec::new());
/// How often a block was published. Changes only under the lock of the blocks.
static EDITION: AtomicU64 = AtomicU64::new(0);

/// Gives a new block to the tasks that run. Before the hook is set there are none.
pub static GROWTH: Hook<fn(NewBlock<'_>) -> Result<(), ImageError>> = Hook::new(|_block| Ok(()));

/// A block that is being published. Only this cell makes one, so its bytes lie within the place that was reserved for them.
#[derive(Clone, Copy, Debug)]
pub struct NewBlock<'a> {
    distance: usize,
    bytes: &'a [u8],
}

impl NewBlock<'_> {
    /// Bytes from the thread pointer down to the first byte of the block: at least as many as the block has.
    #[must_use]
    pub fn distance(&self) -> usize {
        self.distance
    }

    /// The initial bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes
    }
}

/// Why a cell cannot have its thread locals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// The reserved space is used up.
    Full {
        /// Bytes that were asked for.
        size: usize,
        /// Bytes in use.
        used: usize,
    },
    /// The host's map puts two blocks in one place.
    Overlap {
        /// Distance of the block that was refused.
        distance: usize,
    },
    /// A task that runs could not be given the block.
    Memory,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { size, used } => {
                write!(f, "{size} bytes of thread locals do not fit: {used} of {CAPACITY} are in use")
            }
            Self::Overlap { distance } => write!(f, "thread locals at distance {distance} overlap another cell's"),
            Self::Memory => f.write_str("no memory for the thread locals of the tasks that run"),
        }
    }
}

impl core::error::Error for ImageError {}

/// The block of a cell. Dropping it frees the place.
#[derive(Debug)]
#[must_use = "dropping it takes the thread locals out of the image"]
pub struct Registration {
    distance: usize,
}

impl Drop for Registration {
    fn drop(&mut self) {
        BLOCKS.lock().retain(|block| block.distance != self.distance);
    }
}

/// A place for the block of a cell, and the initial bytes that the block will have: 0 until the cell writes them. Dropping it
/// frees the place.
#[derive(Debug)]
#[must_use = "dropping it frees the place of the thread locals"]
pub struct Reserved {
    registration: Registration,
    bytes: Box<[u8]>,
}

impl Reserved {
    /// Enters the block. The caller has seen that its place is free.
    fn new(blocks: &mut Vec<Block>, distance: usize, size: usize) -> Self {
        blocks.push(Block { distance, size, bytes: Box::default() });
        Self { registration: Registration { distance }, bytes: alloc::vec![0; size].into() }
    }

    /// Bytes from the thread pointer down to the block.
    #[must_use]
    pub fn distance(&self) -> usize {
        self.registration.distance
    }

    /// The initial bytes, to be written before the block is published.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Gives the block to all tasks that are and that will be.
    ///
    /// # Errors
    /// [`ImageError::Memory`] if a task that runs has no memory for it.
    pub fn publish(self) -> Result<Registration, ImageError> {
        let Self { registration, bytes } = self;
        let distance = registration.distance;
        let copy = bytes.clone();
        let mut blocks = BLOCKS.lock();
        if let Some(block) = blocks.iter_mut().find(|block| block.distance == distance) {
            block.bytes = copy;
        }
        EDITION.fetch_add(1, Ordering::Relaxed);
        drop(blocks);
        // First the image, then the tasks that can be found: one that is entered after this has the block from the
        // image, see `if_current`.
        GROWTH.get()(NewBlock { distance, bytes: &bytes })?;
        Ok(registration)
    }
}

/// Reserves a place for `size` bytes, aligned to `alignment` in every task.
///
/// # Errors
/// [`ImageError::Full`].
///
/// # Panics
/// If `alignment` is 0.
pub fn reserve(size: usize, alignment: usize) -> Result<Reserved, ImageError> {
    let mut blocks = BLOCKS.lock();
    // First fit: the blocks by distance, and the gaps between them.
    blocks.sort_unstable_by_key(|block| block.distance);
    let mut used = 0;
    for block in &*blocks {
        let distance = (used + size).next_multiple_of(alignment);
        if distance + block.size <= block.distance {
            break;
        }
        used = block.distance;
    }
    let distance = (used + size).next_multiple_of(alignment);
    if distance > CAPACITY {
        return Err(ImageError::Full { size, used });
    }
    Ok(Reserved::new(&mut blocks, distance, size))
}

/// Reserves the place that the host gave a cell of the seed.
///
/// # Errors
/// [`ImageError::Overlap`] if another block is there, or the place does not lie in the space that tasks reserve.
pub fn reserve_at(distance: usize, size: usize) -> Result<Reserved, ImageError> {
    let mut blocks = BLOCKS.lock();
    let overlaps = |block: &Block| distance - size < block.distance && block.distance - block.size < distance;
    if distance > CAPACITY || size > distance || blocks.iter().any(overlaps) {
        return Err(ImageError::Overlap { distance });
    }
    Ok(Reserved::new(&mut blocks, distance, size))
}

/// How many bytes below the thread pointer are in use.
#[must_use]
pub fn size() -> usize {
    extent(&BLOCKS.lock())
}

fn extent(blocks: &[Block]) -> usize {
    blocks.iter().map(|block| block.distance).max().unwrap_or(0)
}

/// A state of the image: the bytes that a task was given, until a further block is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edition(u64);

/// The image's present state, and how many bytes below the thread pointer it takes.
#[must_use]
pub fn edition() -> (Edition, usize) {
    let blocks = BLOCKS.lock();
    (Edition(EDITION.load(Ordering::Relaxed)), extent(&blocks))
}

/// Runs `enter` if no block was published since `edition` was taken; says whether it did. No block is published
/// meanwhile. `enter` makes a task with that image one of those that the growth hook finds; it is short and does not
/// block.
#[must_use = "if the image has changed the task lacks a block"]
pub fn if_current(edition: Edition, enter: impl FnOnce()) -> bool {
    let _blocks = BLOCKS.lock();
    let current = EDITION.load(Ordering::Relaxed) == edition.0;
    if current {
        enter();
    }
    current
}

/// Fills the last `block.len()` bytes below a thread pointer with the initial bytes of a new task. Bytes that belong to no
/// cell become 0; blocks further away than `block` is long are left to the code that maps that memory.
pub fn initialise(block: &mut [u8]) {
    block.fill(0);
    let end = block.len();
    for published in &*BLOCKS.lock() {
        if let Some(place) = end.checked_sub(published.distance).and_then(|start| block.get_mut(start..)) {
            let length = published.bytes.len();
            place[..length].copy_from_slice(&published.bytes);
        }
    }
}
