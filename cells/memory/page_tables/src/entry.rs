//! One entry of a page table, at any level.

use addresses::{Frame, PhysAddr};

/// The rights of a mapping. There is no way to say "write and execute".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rights {
    /// Reading.
    ReadOnly,
    /// Reading and writing.
    Writable,
    /// Reading and executing.
    Executable,
    /// Reading and writing, past the caches: device registers.
    Device,
}

/// A page table entry.
///
/// | bits | state |
/// | --- | --- |
/// | all 0 | empty |
/// | present | the processor uses it |
/// | not present, frame kept | *withheld*: the processor faults, the owner still knows the frame |
///
/// Withheld are the reserve of a stack, and a page on its way out with a frame that waits for the other CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct Entry(u64);

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const WRITE_THROUGH: u64 = 1 << 3;
const UNCACHED: u64 = 1 << 4;
/// Set by the processor when it writes to the page.
const DIRTY: u64 = 1 << 6;
const HUGE: u64 = 1 << 7;
/// Ignored by the processor: the frame is freed when its mapping goes.
const OWNED: u64 = 1 << 9;
/// Ignored by the processor: tells a withheld entry for frame 0 from an empty one.
const USED: u64 = 1 << 10;
const NO_EXECUTE: u64 = 1 << 63;
const FRAME: u64 = 0x000f_ffff_ffff_f000;
const RIGHTS: u64 = WRITABLE | WRITE_THROUGH | UNCACHED | NO_EXECUTE;

impl Entry {
    /// Nothing is mapped.
    pub const EMPTY: Self = Self(0);

    /// A page. `owned`: the caller that takes the mapping away gets the frame.
    // No global bit: there is one address space, so it would win nothing, and without it loading CR3 forgets everything.
    #[inline]
    pub const fn leaf(frame: Frame, rights: Rights, owned: bool) -> Self {
        let owned = if owned { OWNED } else { 0 };
        Self(frame.start().as_u64() | bits_of(rights) | owned | USED | PRESENT)
    }

    /// The next lower table. Rights are decided by the leaf alone.
    #[inline]
    pub const fn table(frame: Frame) -> Self {
        Self(frame.start().as_u64() | PRESENT | WRITABLE | USED)
    }

    /// The entry with exactly these bits.
    #[inline]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits as the processor reads them.
    #[inline]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether nothing is mapped, not even withheld.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the processor uses it.
    #[inline]
    pub const fn is_present(self) -> bool {
        self.0 & PRESENT != 0
    }

    /// Whether it maps a 2 MiB or 1 GiB page (only at levels above the last). Only the boot code's tables have such.
    #[inline]
    pub const fn is_huge(self) -> bool {
        self.0 & (PRESENT | HUGE) == PRESENT | HUGE
    }

    /// Whether the frame goes with the mapping.
    #[inline]
    pub const fn is_owned(self) -> bool {
        self.0 & OWNED != 0
    }

    /// Whether the processor has written to the page since it was mapped or [marked](Self::unwritten).
    #[inline]
    pub const fn is_written(self) -> bool {
        self.0 & DIRTY != 0
    }

    /// The same, marked as not written.
    #[inline]
    pub const fn unwritten(self) -> Self {
        Self(self.0 & !DIRTY)
    }

    /// The frame, mapped or withheld.
    #[inline]
    pub const fn frame(self) -> Frame {
        Frame::containing(PhysAddr::new_truncate(self.0 & FRAME))
    }

    /// The rights of the entry; `None` for writable and executable at once, which only foreign tables contain.
    #[inline]
    pub const fn rights(self) -> Option<Rights> {
        match (self.0 & WRITABLE != 0, self.0 & NO_EXECUTE != 0) {
            (true, true) if self.0 & UNCACHED != 0 => Some(Rights::Device),
            (true, true) => Some(Rights::Writable),
            (false, true) => Some(Rights::ReadOnly),
            (false, false) => Some(Rights::Executable),
            (true, false) => None,
        }
    }

    /// The same frame with other rights.
    #[inline]
    pub const fn with_rights(self, rights: Rights) -> Self {
        Self(self.0 & !RIGHTS | bits_of(rights))
    }

    /// Another frame with the same rights, ownership and presence.
    #[inline]
    pub const fn with_frame(self, frame: Frame) -> Self {
        Self(self.0 & !FRAME | frame.start().as_u64())
    }

    /// The same, but the processor faults on it.
    #[inline]
    pub const fn withheld(self) -> Self {
        Self(self.0 & !PRESENT)
    }

    /// The same, and the processor uses it.
    #[inline]
    pub const fn revealed(self) -> Self {
        Self(self.0 | PRESENT)
    }
}

const fn bits_of(rights: Rights) -> u64 {
    match rights {
        Rights::ReadOnly => NO_EXECUTE,
        Rights::Writable => NO_EXECUTE | WRITABLE,
        Rights::Executable => 0,
        Rights::Device => NO_EXECUTE | WRITABLE | UNCACHED | WRITE_THROUGH,
    }
}
