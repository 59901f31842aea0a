//! Where each section of a cell goes.
//!
//! A cell is mapped as three segments, each with rights of its own: text, constants, data. Guarantees to the linker:
//! placement depends on the object alone, so that the host and the kernel compute the same layout from the same file;
//! sections do not overlap and keep their alignment. It cannot fail: an [`Object`] has been checked.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use object::{Object, Section, SectionKind};

/// Part of a cell that is mapped with one set of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Readable and executable.
    Text,
    /// Readable.
    Constants,
    /// Readable and writable.
    Data,
    /// The seed's `.boot` section, at a fixed physical address.
    Boot,
    /// The cell's block of thread locals, present in every task.
    Thread,
    /// At an absolute address: a static that keeps its place when its cell is replaced. The offset is the address.
    Fixed,
}

impl Segment {
    /// All segments, in the order of their discriminants.
    pub const ALL: [Self; 6] = [Self::Text, Self::Constants, Self::Data, Self::Boot, Self::Thread, Self::Fixed];

    fn of(kind: SectionKind) -> Self {
        match kind {
            SectionKind::Text => Self::Text,
            SectionKind::Constants | SectionKind::Frames => Self::Constants,
            SectionKind::Data | SectionKind::Zero => Self::Data,
            SectionKind::Boot => Self::Boot,
            SectionKind::ThreadData | SectionKind::ThreadZero => Self::Thread,
        }
    }
}

/// Where a section starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The segment it is in.
    pub segment: Segment,
    /// Bytes from the start of the segment.
    pub offset: usize,
}

/// Size and alignment of a segment, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Up to the end of the last section.
    pub size: usize,
    /// The largest of its sections' alignments; 0 for an empty segment.
    pub alignment: usize,
}

/// Where each section of one object goes.
#[derive(Clone, Debug)]
pub struct Layout {
    /// By section index.
    pub placements: Vec<Placement>,
    extents: [Extent; Segment::ALL.len()],
    constants: usize,
}

/// The order of sections in a segment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Ordinary,
    Unwinding,
    Zeroed,
}

impl Rank {
    fn of(section: &Section<'_>) -> Self {
        match section.kind {
            SectionKind::Zero | SectionKind::ThreadZero => Self::Zeroed,
            _ if section.describes_frames() => Self::Unwinding,
            _ => Self::Ordinary,
        }
    }
}

/// Functions start on such a boundary in every segment, as the compiler assumes for their entry.
const TEXT_ALIGNMENT: usize = 16;

/// Constants and statics lie at this offset in their segment or above. Many notes say where a segment starts, so that this address
/// is never the address of a value.
pub const FIRST_VALUE: usize = 1;

impl Layout {
    /// Places the sections of `object` in file order, but in each segment tables for unwinding come behind the others, and
    /// zeroed sections come last.
    #[must_use]
    pub fn new(object: &Object<'_>) -> Self {
        Self::with_fixed(object, |_| None)
    }

    /// As [`Layout::new`], but a section for which `fixed` knows an address takes no room: it is there already.
    #[must_use]
    pub fn with_fixed(object: &Object<'_>, fixed: impl Fn(usize) -> Option<usize>) -> Self {
        let mut extents = [Extent::default(); Segment::ALL.len()];
        let mut placements = Vec::with_capacity(object.sections.len());
        placements.resize(object.sections.len(), Placement { segment: Segment::Text, offset: 0 });
        let mut constants = 0;
        for rank in [Rank::Ordinary, Rank::Unwinding, Rank::Zeroed] {
            for (number, (section, placement)) in object.sections.iter().zip(&mut placements).enumerate() {
                if Rank::of(section) != rank {
                    continue;
                }
                if let Some(address) = fixed(number) {
                    *placement = Placement { segment: Segment::Fixed, offset: address };
                    continue;
                }
                let segment = Segment::of(section.kind);
                let alignment = match segment {
                    Segment::Text => section.alignment.max(TEXT_ALIGNMENT),
                    _ => section.alignment,
                };
                let extent = &mut extents[segment as usize];
                let free = match segment {
                    Segment::Constants | Segment::Data => extent.size.max(FIRST_VALUE),
                    Segment::Text | Segment::Boot | Segment::Thread | Segment::Fixed => extent.size,
                };
                let offset = free.next_multiple_of(alignment);
                *placement = Placement { segment, offset };
                extent.size = offset.saturating_add(section.size);
                extent.alignment = extent.alignment.max(alignment);
            }
            if rank == Rank::Ordinary {
                constants = extents[Segment::Constants as usize].size;
            }
        }
        Self { placements, extents, constants }
    }

    /// How many bytes at the start of the constants other code may refer to. The tables behind them say how to leave the
    /// object's functions.
    #[must_use]
    pub fn constants_proper(&self) -> usize {
        self.constants
    }

    /// Size and alignment of `segment`.
    #[must_use]
    pub fn extent(&self, segment: Segment) -> Extent {
        self.extents[segment as usize]
    }
}
