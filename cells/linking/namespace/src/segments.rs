//! The memory of cells.
//!
//! Text and constants are written through a temporary alias, which is gone on every CPU before the frames are mapped
//! where they are used: no frame can be written and executed at the same time, not even at two addresses.

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use addresses::{PAGE_SIZE, Page, PageRange, VirtAddr, pages_for};
use frames::Purpose;
use layout::{Layout, Segment};
use linker::{Address, Bases};
use mapping::{Executable, InUse, MapError, MappedPages, Permission, ReadOnly, Writable};
use pages::{AllocatedPages, Region};
use relocation::Overflow;
use unwind_table::TableError;

/// A cell's segments, owned.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    pub(crate) text: Option<MappedPages<Executable>>,
    pub(crate) constants: Option<MappedPages<ReadOnly>>,
    /// The cell's own statics, and the pages of statics that it took over from a cell that it replaced.
    pub(crate) data: Vec<Arc<MappedPages<InUse>>>,
}

/// A read-only segment under construction: bytes that are written through the alias will be at the target.
#[derive(Debug)]
struct Draft {
    alias: MappedPages<Writable>,
    target: AllocatedPages,
}

/// A cell's segments under construction.
#[derive(Debug)]
pub(crate) struct Drafts {
    text: Option<Draft>,
    constants: Option<Draft>,
    data: Option<MappedPages<Writable>>,
}

impl Draft {
    fn new(size: usize, purpose: Purpose) -> Result<Option<Self>, MapError> {
        let count = pages_for(size);
        if count == 0 {
            return Ok(None);
        }
        let target = pages::allocate_in(Region::Cells, count)?;
        Ok(Some(Self { alias: mapping::allocate_zeroed(count, purpose)?, target }))
    }

    fn base(&self) -> u64 {
        self.target.range().start().as_u64()
    }

    fn finish<R: Permission>(self, rights: R) -> Result<MappedPages<R>, MapError> {
        self.alias.move_to(self.target, rights).map_err(|refused| refused.error)
    }
}

impl Drafts {
    /// Takes memory for all segments of `layout`, zeroed, and says where they will be.
    pub(crate) fn allocate(layout: &Layout) -> Result<(Self, Bases), MapError> {
        let size = |segment| layout.extent(segment).size;
        let data = match pages_for(size(Segment::Data)) {
            0 => None,
            count => {
                let target = pages::allocate_in(Region::Cells, count)?;
                let mut data = mapping::allocate_at(target, Writable, Purpose::CellData)?;
                data.bytes_mut().fill(0);
                Some(data)
            }
        };
        let drafts = Self {
            text: Draft::new(size(Segment::Text), Purpose::CellText)?,
            constants: Draft::new(size(Segment::Constants), Purpose::CellConstants)?,
            data,
        };
        let bases = Bases {
            text: Address::new(drafts.text.as_ref().map_or(0, Draft::base)),
            constants: Address::new(drafts.constants.as_ref().map_or(0, Draft::base)),
            data: Address::new(drafts.data.as_ref().map_or(0, |data| data.start().as_u64())),
            boot: 0,
            thread: 0,
        };
        Ok((drafts, bases))
    }

    /// Writes `bytes` at `offset` of `segment`. The linker stays within the layout that the memory was taken for.
    pub(crate) fn write(&mut self, segment: Segment, offset: usize, bytes: &[u8]) {
        let memory = match segment {
            Segment::Text => self.text.as_mut().map(|draft| draft.alias.bytes_mut()),
            Segment::Constants => self.constants.as_mut().map(|draft| draft.alias.bytes_mut()),
            Segment::Data => self.data.as_mut().map(MappedPages::bytes_mut),
            // Thread locals have their own image, `.boot` was refused, a kept static keeps its value.
            Segment::Thread | Segment::Boot | Segment::Fixed => None,
        };
        if let Some(place) = memory.and_then(|memory| memory.get_mut(offset..offset + bytes.len())) {
            place.copy_from_slice(bytes);
        }
    }

    /// Maps everything where it is to be used, with its final rights.
    pub(crate) fn finish(self) -> Result<Segments, MapError> {
        Ok(Segments {
            text: self.text.map(|draft| draft.finish(Executable)).transpose()?,
            constants: self.constants.map(|draft| draft.finish(ReadOnly)).transpose()?,
            data: self.data.map(|data| Arc::new(data.into_in_use())).into_iter().collect(),
        })
    }
}

impl Segments {
    /// Takes up the mappings of a cell of the seed.
    ///
    /// # Safety
    /// `bases` and `layout` say where the host put the cell, and its pages have no owner yet.
    pub(crate) unsafe fn adopt(layout: &Layout, bases: &Bases) -> Result<Self, MapError> {
        let range = |segment| page_range(bases.address(segment, 0), layout.extent(segment).size);
        // SAFETY: the caller's promise; segments of the seed have pages of their own.
        unsafe {
            Ok(Self {
                text: range(Segment::Text)
                    .map(|pages| mapping::adopt(pages, Executable, Purpose::CellText))
                    .transpose()?,
                constants: range(Segment::Constants)
                    .map(|pages| mapping::adopt(pages, ReadOnly, Purpose::CellConstants))
                    .transpose()?,
                data: range(Segment::Data)
                    .map(|pages| mapping::adopt(pages, InUse, Purpose::CellData))
                    .transpose()?
                    .map(Arc::new)
                    .into_iter()
                    .collect(),
            })
        }
    }
}

fn page_range(start: u64, size: usize) -> Option<PageRange> {
    let first = Page::containing(VirtAddr::new_truncate(start));
    (size > 0).then(|| PageRange::new(first, pages_for(size))).flatten()
}

/// Why text could not be written.
#[derive(Clone, Debug)]
pub enum TextWriteError {
    /// No memory.
    Memory(MapError),
    /// A jump does not reach.
    Overflow(Overflow),
    /// The frame information was refused.
    Frames(TableError),
    /// The numbers have run out.
    Full,
}

impl fmt::Display for TextWriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(error) => error.fmt(f),
            Self::Overflow(error) => error.fmt(f),
            Self::Frames(error) => error.fmt(f),
            Self::Full => f.write_str("there is no room for more stubs"),
        }
    }
}

/// Permanent text that can be completed page by page.
#[derive(Debug)]
pub(crate) struct TextPages(MappedPages<Executable>);

impl TextPages {
    /// Takes `count` pages of breakpoints, and says where they are.
    pub(crate) fn allocate(count: usize) -> Result<(u64, Self), MapError> {
        const BREAKPOINT: u8 = 0xcc;
        let target = pages::allocate_in(Region::Cells, count)?;
        let mut alias = mapping::allocate(count, Writable, Purpose::CellText)?;
        alias.bytes_mut().fill(BREAKPOINT);
        let pages = alias.move_to(target, Executable).map_err(|refused| refused.error)?;
        Ok((pages.start().as_u64(), Self(pages)))
    }

    /// Takes up pages of the seed.
    ///
    /// # Safety
    /// They are text of the seed, and have no owner yet.
    pub(crate) unsafe fn adopt(start: u64, size: usize) -> Result<Option<Self>, MapError> {
        let Some(pages) = page_range(start, size) else { return Ok(None) };
        // SAFETY: the caller's promise.
        Ok(Some(Self(unsafe { mapping::adopt(pages, Executable, Purpose::CellText) }?)))
    }

    /// How many pages.
    pub(crate) fn count(&self) -> usize {
        self.0.len() / PAGE_SIZE
    }

    /// The pages as a mapping.
    pub(crate) fn mapping(&self) -> &MappedPages<Executable> {
        &self.0
    }

    /// Puts a changed copy of page `index` in its place. The parts that `change` leaves as they were may be executed meanwhile.
    pub(crate) fn rewrite(&mut self, index: usize, change: impl FnOnce(&mut [u8])) -> Result<(), TextWriteError> {
        let mut copy = mapping::allocate(1, Writable, Purpose::CellText).map_err(TextWriteError::Memory)?;
        copy.bytes_mut().copy_from_slice(&self.0.bytes()[index * PAGE_SIZE..][..PAGE_SIZE]);
        change(copy.bytes_mut());
        // SAFETY: the table of stubs is locked, so no other code exchanges the page. Both pages hold all stubs that may be in
        // use.
        unsafe { self.0.exchange_page(index, copy) }.map_err(|refused| TextWriteError::Memory(refused.error))
    }
}
