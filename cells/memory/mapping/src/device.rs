//! Memory that is not the system's to hand out: device registers, and the leftovers of firmware and boot loader.

use addresses::{FrameRange, PhysAddr};
use frames::Purpose;
use pages::AllocatedPages;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{Device, MapError, MappedPages, Permission, ViewError, range};

/// Maps the frames that hold `bytes` bytes of physical memory from `start` on. The byte at `start` is found at
/// `start % 4096` of the mapping. The frames are not owned: unmapping leaves them as they are. Frames that `frames` hands
/// out are refused.
///
/// # Errors
/// [`MapError`]: the frames are memory of the system, or there are no pages.
///
/// # Safety
/// With [`Device`]: the registers there do nothing that harms memory safety, unless the caller sees to it. Else: it is
/// memory, and while the mapping lives no code writes to it through another one, nor reads it if this one is writable.
pub unsafe fn map_physical<R: Permission>(
    start: PhysAddr,
    bytes: usize,
    rights: R,
) -> Result<MappedPages<R>, MapError> {
    let frames = FrameRange::covering(start, bytes).ok_or(frames::FramesError::OutOfBounds)?;
    // SAFETY: the caller's promise.
    unsafe { map_physical_at(pages::allocate(frames.count())?, frames, rights) }
}

/// As [`map_physical`], at pages of the caller's choice: the code for starting CPUs must be where it is physically.
///
/// # Errors
/// As for [`map_physical`].
///
/// # Safety
/// As for [`map_physical`].
pub unsafe fn map_physical_at<R: Permission>(
    pages: AllocatedPages,
    frames: FrameRange,
    _rights: R,
) -> Result<MappedPages<R>, MapError> {
    if frames::is_managed(frames) {
        return Err(MapError::NotForeign(frames));
    }
    range::map_foreign(pages.range(), frames, R::RIGHTS)?;
    Ok(MappedPages::new(pages, Purpose::Other))
}

impl MappedPages<Device> {
    /// Reads the register at `offset`, once and in full.
    ///
    /// # Errors
    /// [`ViewError`]: there is no such register in the mapping.
    pub fn read<T: FromBytes + IntoBytes>(&self, offset: usize) -> Result<T, ViewError> {
        let register = self.register::<T>(offset)?;
        // SAFETY: mapped as long as `self` lives, aligned, in bounds; any bytes are a value of `T`.
        Ok(unsafe { register.read_volatile() })
    }

    /// Writes the register at `offset`, once and in full.
    ///
    /// # Errors
    /// [`ViewError`]: there is no such register in the mapping.
    pub fn write<T: FromBytes + IntoBytes + Immutable>(&self, offset: usize, value: T) -> Result<(), ViewError> {
        let register = self.register::<T>(offset)?;
        // SAFETY: mapped writable as long as `self` lives, aligned, in bounds; nothing in Rust refers to registers.
        unsafe { register.write_volatile(value) };
        Ok(())
    }

    fn register<T>(&self, offset: usize) -> Result<*mut T, ViewError> {
        let (size, alignment, mapped) = (size_of::<T>(), align_of::<T>(), self.len());
        if offset.checked_add(size).is_none_or(|end| end > mapped) {
            return Err(ViewError::OutOfBounds { offset, size, mapped });
        }
        if !offset.is_multiple_of(alignment) {
            return Err(ViewError::Misaligned { offset, alignment });
        }
        Ok((self.start() + offset as u64).as_mut_ptr())
    }
}
