//! How many frames each purpose holds.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::INVENTORY;

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The purpose of frames.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Purpose {
            $($(#[$doc])* $name,)*
        }

        impl Purpose {
            /// All of them, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As shown to people.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

purposes! {
    /// The kernel heap.
    Heap = "heap",
    /// Stacks of tasks and their thread locals.
    Stack = "stacks",
    /// Functions of cells.
    CellText = "cell text",
    /// Constants of cells.
    CellConstants = "cell constants",
    /// Statics of cells.
    CellData = "cell data",
    /// The page tables.
    PageTables = "page tables",
    /// Buffers that devices read and write.
    Device = "device buffers",
    /// Taken out of use until every CPU has forgotten its translation.
    Quarantine = "quarantine",
    /// Anything else.
    Other = "other",
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const COUNT: usize = Purpose::ALL.len();

static HELD: [AtomicUsize; COUNT] = [const { AtomicUsize::new(0) }; COUNT];

pub(crate) fn charge(purpose: Purpose, frames: usize) {
    HELD[purpose as usize].fetch_add(frames, Ordering::Relaxed);
}

pub(crate) fn refund(purpose: Purpose, frames: usize) {
    HELD[purpose as usize].fetch_sub(frames, Ordering::Relaxed);
}

/// Counts frames under another purpose, for records that own frames without an [`crate::AllocatedFrames`].
pub fn recount(frames: usize, from: Purpose, to: Purpose) {
    refund(from, frames);
    charge(to, frames);
}

/// A count of all frames of usable memory. The parts are read one after the other, so that while others allocate they
/// may not add up to the total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Frames of usable memory.
    pub total: usize,
    /// Frames without an owner.
    pub free: usize,
    held: [usize; COUNT],
}

impl Statistics {
    /// Frames held for `purpose`.
    pub fn held(&self, purpose: Purpose) -> usize {
        self.held[purpose as usize]
    }

    /// Frames that were reserved at boot and that no owner has claimed: archive, map of frames, firmware's leftovers.
    pub fn reserved(&self) -> usize {
        self.total.saturating_sub(self.free).saturating_sub(self.held.iter().sum())
    }
}

/// How many frames have no owner.
pub fn free() -> usize {
    INVENTORY.lock().counts().1
}

/// Counts.
pub fn statistics() -> Statistics {
    let (total, free) = INVENTORY.lock().counts();
    let mut held = [0; COUNT];
    for (count, counter) in held.iter_mut().zip(&HELD) {
        *count = counter.load(Ordering::Relaxed);
    }
    Statistics { total, free, held }
}
