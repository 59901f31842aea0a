//! The owner of a mapping.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use addresses::{Page, PageRange, VirtAddr};
use cpu_local::PreemptGuard;
use frames::{AllocatedFrames, Purpose};
use pages::AllocatedPages;

use crate::hardware::{ACTIVE, Processor};
use crate::{Executable, InUse, MapError, Permission, ReadOnly, Readable, ShootdownTimeout, Withheld, Writable, range};

/// Pages that are mapped with rights `R`, and the frames behind them. Dropping it unmaps, tells every CPU, and frees
/// both.
#[must_use = "dropping it unmaps the pages at once"]
pub struct MappedPages<R: Permission> {
    pages: ManuallyDrop<AllocatedPages>,
    purpose: Purpose,
    rights: PhantomData<R>,
}

/// A change that was refused: the mapping, as it was, and why.
#[derive(Debug)]
pub struct Refused<R: Permission> {
    /// The mapping, unchanged.
    pub mapping: MappedPages<R>,
    /// Why.
    pub error: MapError,
}

impl<R: Permission> fmt::Display for Refused<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<R: Permission + fmt::Debug> core::error::Error for Refused<R> {}

/// Takes `count` pages and frames, in as few runs as there are, and maps them. The bytes keep their former values.
///
/// # Errors
/// [`MapError`]: there are no pages or no frames. Nothing is taken.
pub fn allocate<R: Permission>(count: usize, rights: R, purpose: Purpose) -> Result<MappedPages<R>, MapError> {
    allocate_at(pages::allocate(count)?, rights, purpose)
}

/// As [`allocate`], all bytes 0.
///
/// # Errors
/// As for [`allocate`].
pub fn allocate_zeroed(count: usize, purpose: Purpose) -> Result<MappedPages<Writable>, MapError> {
    let mut mapping = allocate(count, Writable, purpose)?;
    mapping.bytes_mut().fill(0);
    Ok(mapping)
}

/// Maps fresh frames at these pages, in as few runs as there are.
///
/// # Errors
/// [`MapError`]: there are no frames. The pages are free again.
pub fn allocate_at<R: Permission>(
    pages: AllocatedPages,
    _rights: R,
    purpose: Purpose,
) -> Result<MappedPages<R>, MapError> {
    Ok(MappedPages::new(range::fill(pages, R::RIGHTS, R::PRESENT, purpose, true)?, purpose))
}

/// As [`allocate_at`], all bytes 0 and no page [written](MappedPages::is_written).
///
/// # Errors
/// As for [`allocate_at`].
pub fn allocate_zeroed_at(pages: AllocatedPages, purpose: Purpose) -> Result<MappedPages<Writable>, MapError> {
    let mut mapping = allocate_at(pages, Writable, purpose)?;
    // Only this CPU knows the pages yet.
    let _here = PreemptGuard::new();
    mapping.bytes_mut().fill(0);
    range::mark_unwritten(mapping.pages());
    Ok(mapping)
}

/// As [`allocate_at`], but asks no keeper for spare frames: for callers that hold a lock.
///
/// # Errors
/// As for [`allocate_at`].
pub fn try_allocate_at<R: Permission>(
    pages: AllocatedPages,
    _rights: R,
    purpose: Purpose,
) -> Result<MappedPages<R>, MapError> {
    Ok(MappedPages::new(range::fill(pages, R::RIGHTS, R::PRESENT, purpose, false)?, purpose))
}

/// Takes up the mapping of a part of the seed image that [`crate::bootstrap`] made.
///
/// # Errors
/// [`MapError`]: the pages have an owner, or are mapped otherwise.
///
/// # Safety
/// No other owner has taken it up, and all users of these addresses live no longer than the result.
pub unsafe fn adopt<R: Permission>(pages: PageRange, _rights: R, purpose: Purpose) -> Result<MappedPages<R>, MapError> {
    let claim = pages::allocate_at(pages)?;
    for page in pages.iter() {
        let entry = page_tables::read(&Processor, ACTIVE, page);
        if !entry.is_present() || !entry.is_owned() || entry.rights() != Some(R::RIGHTS) {
            return Err(MapError::NotAsExpected(page));
        }
    }
    for page in pages.iter() {
        let frame = page_tables::read(&Processor, ACTIVE, page).frame();
        // SAFETY: bootstrap gave the frame to this entry, and the caller says that no owner has taken it up.
        unsafe { AllocatedFrames::adopt(frame.as_range(), purpose) }.into_range();
    }
    Ok(MappedPages::new(claim, purpose))
}

/// Joining pages and frames.
pub trait MapPages: Sized {
    /// Maps the pages to the frames, one to one. On failure both are freed.
    fn map<R: Permission>(self, frames: AllocatedFrames, rights: R) -> Result<MappedPages<R>, MapError>;
}

impl MapPages for AllocatedPages {
    fn map<R: Permission>(self, frames: AllocatedFrames, _rights: R) -> Result<MappedPages<R>, MapError> {
        let _whole = PreemptGuard::new();
        let purpose = range::map(self.range(), frames, R::RIGHTS, R::PRESENT)?;
        Ok(MappedPages::new(self, purpose))
    }
}

// Each operation below that moves pages or frames from one owner to another keeps a `PreemptGuard`: a kill, or a fault
// that another task asks for, comes before or after it. In between, the pages or frames that unwinding drops would be
// free and mapped at once.
impl<R: Permission> MappedPages<R> {
    /// The caller has mapped the pages with rights `R`.
    pub(crate) fn new(pages: AllocatedPages, purpose: Purpose) -> Self {
        Self { pages: ManuallyDrop::new(pages), purpose, rights: PhantomData }
    }

    /// The parts, without unmapping.
    fn into_parts(self) -> (AllocatedPages, Purpose) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither dropped nor used again, so the claim is moved, not copied.
        (unsafe { ManuallyDrop::take(&mut this.pages) }, this.purpose)
    }

    /// Puts the mapping down: the pages stay mapped, for ever or until an owner takes it up again.
    pub fn into_page_range(self) -> PageRange {
        self.into_pages().into_range()
    }

    /// Takes up a mapping, or a part of one, that [`Self::into_page_range`] put down.
    ///
    /// # Safety
    /// All these pages were put down, with these rights and for this purpose, and not taken up since.
    pub unsafe fn from_page_range(pages: PageRange, purpose: Purpose) -> Self {
        // SAFETY: the claim was put down with the mapping.
        Self::new(unsafe { AllocatedPages::from_range(pages) }, purpose)
    }

    /// The pages, without unmapping. The caller has unmapped them, or puts the mapping down.
    pub(crate) fn into_pages(self) -> AllocatedPages {
        self.into_parts().0
    }

    /// Which pages.
    pub fn pages(&self) -> PageRange {
        self.pages.range()
    }

    /// The first byte.
    pub fn start(&self) -> VirtAddr {
        self.pages.range().start()
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.pages.range().bytes()
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.pages.range().is_empty()
    }

    /// The purpose of the frames.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The frame behind page `index`.
    pub fn frame(&self, index: usize) -> Option<addresses::Frame> {
        range::frame_of(self.pages.range(), index)
    }

    /// Unmaps and frees the frames; the pages are left to the caller. If a CPU does not answer, the range goes into
    /// quarantine.
    ///
    /// # Errors
    /// A CPU does not answer in time.
    pub fn unmap(self) -> Result<AllocatedPages, ShootdownTimeout> {
        let _whole = PreemptGuard::new();
        let (pages, purpose) = self.into_parts();
        match range::unmap(pages.range(), purpose) {
            Ok(()) => Ok(pages),
            Err(timeout) => {
                range::keep_withheld(pages.into_range(), purpose);
                Err(timeout)
            }
        }
    }

    /// Moves the frames to other pages, with other rights; the old pages are unmapped first, on every CPU, and freed.
    /// This is how code gets into place: written through a temporary alias, then moved to where it runs.
    ///
    /// # Errors
    /// The mapping as it was, and the reason.
    pub fn move_to<N: Permission>(self, target: AllocatedPages, _rights: N) -> Result<MappedPages<N>, Refused<R>> {
        let _whole = PreemptGuard::new();
        match range::transfer(self.pages.range(), target.range(), N::RIGHTS) {
            Ok(()) => {
                let (_old, purpose) = self.into_parts();
                Ok(MappedPages::new(target, purpose))
            }
            Err(error) => Err(Refused { mapping: self, error }),
        }
    }

    /// The first `count` pages and the rest. Gives the mapping back if there are not more than `count`, or `count` is 0.
    ///
    /// # Errors
    /// The mapping itself, as said.
    pub fn split(self, count: usize) -> Result<(Self, Self), Self> {
        let (pages, purpose) = self.into_parts();
        match pages.split(count) {
            Ok((head, tail)) => Ok((Self::new(head, purpose), Self::new(tail, purpose))),
            Err(pages) => Err(Self::new(pages, purpose)),
        }
    }

    /// Both as one, if `next` begins where this ends and is for the same. Gives both back otherwise.
    ///
    /// # Errors
    /// Both mappings, as said.
    pub fn merge(self, next: Self) -> Result<Self, (Self, Self)> {
        if self.purpose != next.purpose {
            return Err((self, next));
        }
        let ((pages, purpose), (next, _)) = (self.into_parts(), next.into_parts());
        match pages.merge(next) {
            Ok(pages) => Ok(Self::new(pages, purpose)),
            Err((pages, next)) => Err((Self::new(pages, purpose), Self::new(next, purpose))),
        }
    }

    fn change<N: Permission>(self) -> Result<MappedPages<N>, Refused<R>> {
        let _whole = PreemptGuard::new();
        match range::change(self.pages.range(), R::RIGHTS, N::RIGHTS) {
            Ok(()) => {
                let (pages, purpose) = self.into_parts();
                Ok(MappedPages::new(pages, purpose))
            }
            Err(timeout) => Err(Refused { mapping: self, error: timeout.into() }),
        }
    }
}

impl MappedPages<Writable> {
    /// Gives up writing.
    ///
    /// # Errors
    /// The mapping as it was: a CPU does not answer in time.
    pub fn into_read_only(self) -> Result<MappedPages<ReadOnly>, Refused<Writable>> {
        self.change()
    }

    /// Gives up the view of the bytes: from now on other code uses them by their address.
    pub fn into_in_use(self) -> MappedPages<InUse> {
        let (pages, purpose) = self.into_parts();
        MappedPages::new(pages, purpose)
    }

    /// Gives up writing for executing.
    ///
    /// # Errors
    /// The mapping as it was: a CPU does not answer in time.
    pub fn into_executable(self) -> Result<MappedPages<Executable>, Refused<Writable>> {
        self.change()
    }
}

impl MappedPages<InUse> {
    /// Takes the view of the bytes back.
    ///
    /// # Safety
    /// No code uses the memory any more, and none will by an address that it had from before.
    pub unsafe fn into_private(self) -> MappedPages<Writable> {
        let (pages, purpose) = self.into_parts();
        MappedPages::new(pages, purpose)
    }
}

impl MappedPages<ReadOnly> {
    /// Asks for writing. No view of the bytes can exist any more.
    ///
    /// # Errors
    /// The mapping as it was: a CPU does not answer in time.
    pub fn into_writable(self) -> Result<MappedPages<Writable>, Refused<ReadOnly>> {
        self.change()
    }
}

/// Makes withheld pages accessible, for a fault handler that knows the pages but not their owner. Takes no lock.
///
/// # Safety
/// The pages belong to a [`MappedPages<Withheld>`] that still exists.
pub unsafe fn reveal_withheld(pages: PageRange) {
    range::reveal(pages);
}

impl MappedPages<Withheld> {
    /// Makes the pages accessible by address. Takes no lock and allocates nothing, so that a fault handler may do it.
    pub fn reveal(&self) {
        range::reveal(self.pages.range());
    }

    /// Makes the processor fault on the pages again.
    ///
    /// # Errors
    /// A CPU does not answer in time; no CPU uses the pages by itself.
    pub fn hide(&self) -> Result<(), ShootdownTimeout> {
        range::hide(self.pages.range())
    }
}

impl<R: Readable> MappedPages<R> {
    /// All bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the pages are mapped readable as long as `self` lives; only `&mut self` writes.
        unsafe { core::slice::from_raw_parts(self.start().as_ptr(), self.len()) }
    }
}

impl MappedPages<Writable> {
    /// All bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the pages are mapped writable as long as `self` lives, and `self` is borrowed exclusively.
        unsafe { core::slice::from_raw_parts_mut(self.start().as_mut_ptr(), self.len()) }
    }

    /// Whether page `index` has been written to since it was mapped. The zeros of [`allocate_zeroed_at`] do not count.
    pub fn is_written(&self, index: usize) -> bool {
        range::is_written(self.pages.range(), index)
    }
}

impl<R: Permission> fmt::Debug for MappedPages<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first: Page = self.pages.range().first();
        write!(f, "MappedPages<{:?}>({} at {:#x}, {})", R::RIGHTS, self.pages.count(), first.start(), self.purpose)
    }
}

impl<R: Permission> Drop for MappedPages<R> {
    fn drop(&mut self) {
        let _whole = PreemptGuard::new();
        // SAFETY: no code uses the field after this.
        let pages = unsafe { ManuallyDrop::take(&mut self.pages) };
        range::release(pages, self.purpose);
    }
}
