//! The host's facts about the image.

use addresses::{VirtAddr, pages_for};
use mapping::{Rights, SeedRange};

use crate::WINDOW_BASE;

/// First and last-plus-one address of a part of the image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// Where the parts of the image are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image {
    pub(crate) text: Part,
    pub(crate) constants: Part,
    pub(crate) data: Part,
    pub(crate) map: Part,
}

impl Part {
    fn range(self, rights: Rights) -> SeedRange {
        let size = usize::try_from(self.end - self.start).unwrap_or_default();
        SeedRange { start: VirtAddr::new_truncate(self.start), pages: pages_for(size), rights }
    }
}

impl Image {
    /// Reads the eight addresses at physical address `header`.
    ///
    /// # Safety
    /// The boot code's tables are in force, and `header` is that of `seed_image`.
    #[expect(clippy::cast_possible_truncation, reason = "an address of this machine is a usize")]
    pub(crate) unsafe fn read(header: u64) -> Self {
        let first: *const u64 = core::ptr::with_exposed_provenance((WINDOW_BASE + header) as usize);
        // SAFETY: the caller's promise; the host wrote eight words.
        let word = |index| unsafe { first.add(index).read() };
        let part = |index: usize| Part { start: word(2 * index), end: word(2 * index + 1) };
        Self { text: part(0), constants: part(1), data: part(2), map: part(3) }
    }

    /// Physical address behind the last byte: the image lies in one piece from 1 MiB on.
    pub(crate) fn physical_end(&self) -> u64 {
        self.map.end - WINDOW_BASE
    }

    /// The parts with their final rights.
    pub(crate) fn ranges(&self) -> [SeedRange; 4] {
        [
            self.text.range(Rights::Executable),
            self.constants.range(Rights::ReadOnly),
            self.data.range(Rights::Writable),
            self.map.range(Rights::ReadOnly),
        ]
    }
}
