//! Typed access to mapped memory: every view is checked for bounds, alignment and validity, and borrows the mapping.

use core::fmt;

use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

use crate::{MappedPages, Readable, Writable};

/// Why there is no such view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewError {
    /// It would reach beyond the mapping.
    OutOfBounds {
        /// Where it begins, from the start of the mapping.
        offset: usize,
        /// How many bytes it needs.
        size: usize,
        /// How many bytes are mapped.
        mapped: usize,
    },
    /// It does not begin at a multiple of the type's alignment.
    Misaligned {
        /// Where it begins.
        offset: usize,
        /// The type's alignment.
        alignment: usize,
    },
    /// The bytes there are no value of the type.
    Invalid {
        /// Where it begins.
        offset: usize,
    },
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds { offset, size, mapped } => {
                write!(f, "{size} bytes at offset {offset} reach beyond the {mapped} mapped bytes")
            }
            Self::Misaligned { offset, alignment } => write!(f, "offset {offset} is not a multiple of {alignment}"),
            Self::Invalid { offset } => write!(f, "the bytes at offset {offset} are no value of the type"),
        }
    }
}

impl core::error::Error for ViewError {}

/// Bounds, and alignment relative to a page-aligned start.
fn check(offset: usize, size: Option<usize>, alignment: usize, mapped: usize) -> Result<usize, ViewError> {
    let size = size.unwrap_or(usize::MAX);
    let end = offset.checked_add(size).filter(|end| *end <= mapped);
    let end = end.ok_or(ViewError::OutOfBounds { offset, size, mapped })?;
    if !offset.is_multiple_of(alignment) {
        return Err(ViewError::Misaligned { offset, alignment });
    }
    Ok(end)
}

impl<R: Readable> MappedPages<R> {
    /// The value of type `T` at `offset`.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn as_type<T>(&self, offset: usize) -> Result<&T, ViewError>
    where
        T: TryFromBytes + KnownLayout + Immutable,
    {
        let end = check(offset, Some(size_of::<T>()), align_of::<T>(), self.len())?;
        T::try_ref_from_bytes(&self.bytes()[offset..end]).map_err(|_| ViewError::Invalid { offset })
    }

    /// The `count` values of type `T` from `offset` on.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn as_slice<T>(&self, offset: usize, count: usize) -> Result<&[T], ViewError>
    where
        T: TryFromBytes + Immutable,
    {
        let end = check(offset, size_of::<T>().checked_mul(count), align_of::<T>(), self.len())?;
        <[T]>::try_ref_from_bytes_with_elems(&self.bytes()[offset..end], count)
            .map_err(|_| ViewError::Invalid { offset })
    }
}

impl MappedPages<Writable> {
    /// The value of type `T` at `offset`, to be written. `T` has no padding, so that all of it stays initialised.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn as_type_mut<T>(&mut self, offset: usize) -> Result<&mut T, ViewError>
    where
        T: TryFromBytes + IntoBytes + KnownLayout,
    {
        let end = check(offset, Some(size_of::<T>()), align_of::<T>(), self.len())?;
        T::try_mut_from_bytes(&mut self.bytes_mut()[offset..end]).map_err(|_| ViewError::Invalid { offset })
    }
}
