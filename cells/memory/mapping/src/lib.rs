//! Mappings: pages and frames joined, with rights in the type.
//!
//! A [`MappedPages<R>`] owns its pages and its frames. While it lives, no other code can map, unmap or reach them; when
//! it is dropped the pages are unmapped, every CPU is told, and only then pages and frames are free again. The type says
//! the holder's rights: only [`Writable`] gives `&mut` access, only [`Executable`] runs, nothing is both, and changing
//! rights consumes the old value. Typed access ([`MappedPages::as_type`]) is checked for bounds, alignment and validity.
//!
//! How it can fail: mapping fails for want of frames or pages ([`MapError`]) and then changes nothing. If a CPU does not
//! answer the shootdown in time, the range is put in quarantine: neither pages nor frames are used again until all CPUs
//! have answered. Reading the tables ([`translate`]) takes no lock and cannot fail, so exception handlers may do it.
#![no_std]

mod bootstrap;
mod device;
mod hardware;
mod inspect;
mod mapped;
mod prepared_page;
mod quarantine;
mod range;
mod rights;
mod shootdown;
mod views;

use core::fmt;

use addresses::{FrameRange, Page};
use frames::FramesError;
use pages::PagesError;

pub use bootstrap::{BootstrapError, SeedRange, bootstrap, root};
pub use device::{map_physical, map_physical_at};
pub use hardware::forget_here;
pub use inspect::{Mapping, for_each_mapping, translate};
pub use mapped::{
    MapPages, MappedPages, Refused, adopt, allocate, allocate_at, allocate_zeroed, allocate_zeroed_at, reveal_withheld,
    try_allocate_at,
};
pub use page_tables::{Rights, TableError};
pub use prepared_page::{Exchangeable, Fixed, PreparedPage, prepare_pages};
pub use quarantine::quarantined;
pub use range::retry_quarantine;
pub use rights::{Device, Executable, InUse, Permission, ReadOnly, Readable, Withheld, Writable};
pub use shootdown::{SHOOTDOWN, ShootdownTimeout};
pub use views::ViewError;

/// Why pages could not be mapped, moved or changed. Everything is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// The page tables refuse.
    Table(TableError),
    /// There are no pages.
    Pages(PagesError),
    /// There are no frames.
    Frames(FramesError),
    /// A CPU did not say in time that it has forgotten the old translation.
    Shootdown(ShootdownTimeout),
    /// The physical range contains memory that `frames` hands out, or does not exist.
    NotForeign(FrameRange),
    /// The page is not mapped as was said.
    NotAsExpected(Page),
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(error) => error.fmt(f),
            Self::Pages(error) => error.fmt(f),
            Self::Frames(error) => error.fmt(f),
            Self::Shootdown(error) => error.fmt(f),
            Self::NotForeign(range) => {
                write!(f, "{} frames at {:#x} are memory that the system hands out", range.count(), range.start())
            }
            Self::NotAsExpected(page) => write!(f, "page {:#x} is not mapped as expected", page.start()),
        }
    }
}

impl core::error::Error for MapError {}

impl From<TableError> for MapError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl From<PagesError> for MapError {
    fn from(error: PagesError) -> Self {
        Self::Pages(error)
    }
}

impl From<FramesError> for MapError {
    fn from(error: FramesError) -> Self {
        Self::Frames(error)
    }
}

impl From<ShootdownTimeout> for MapError {
    fn from(error: ShootdownTimeout) -> Self {
        Self::Shootdown(error)
    }
}
