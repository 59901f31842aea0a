//! The file in which cells travel.
//!
//! ```text
//! "MITOS\0\0\1" | size of manifest: u32 | its BLAKE3 digest: 32 bytes | manifest (postcard) | blobs (LZ4 blocks)
//! ```
//! Guarantees to the loader: each object is byte for byte the one that the host tool packed, or an [`ArchiveError`] that names
//! the cell. Reading a blob needs memory for its uncompressed size, which is bounded before anything is allocated.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod error;

use alloc::vec::Vec;
use core::ops::Range;

pub use error::ArchiveError;
use manifest::{Blob, CellDetails, CellEntry, Digest, Manifest};

const MAGIC: [u8; 8] = *b"MITOS\0\0\x01";
const HEADER: usize = MAGIC.len() + 4 + 32;

/// No object of a cell is larger; a damaged size must not exhaust the memory.
const MAX_BLOB: u32 = 16 << 20;

/// An archive over the bytes `B`, its manifest read and checked.
#[derive(Debug)]
pub struct Archive<B> {
    bytes: B,
    blobs: usize,
    manifest: Manifest,
    digest: Digest,
}

/// The digest of `bytes` as the manifest records it.
#[must_use]
pub fn digest(bytes: &[u8]) -> Digest {
    *blake3::hash(bytes).as_bytes()
}

impl<B: AsRef<[u8]>> Archive<B> {
    /// Reads the manifest at the start of `bytes`.
    ///
    /// # Errors
    /// The bytes are no archive, are cut off, or their manifest is damaged.
    pub fn parse(bytes: B) -> Result<Self, ArchiveError> {
        let all = bytes.as_ref();
        let (header, rest) = all.split_at_checked(HEADER).ok_or(ArchiveError::Truncated { size: all.len() })?;
        let (magic, header) = header.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(ArchiveError::NotAnArchive);
        }
        let (size, recorded) = header.split_at(4);
        let size = size.iter().rev().fold(0_usize, |size, &byte| size << 8 | usize::from(byte));
        let stored = rest.get(..size).ok_or(ArchiveError::Truncated { size: all.len() })?;
        let digest = digest(stored);
        if recorded != digest {
            return Err(ArchiveError::ManifestDigest);
        }
        let manifest = postcard::from_bytes(stored).map_err(ArchiveError::Manifest)?;
        Ok(Self { blobs: HEADER + size, bytes, manifest, digest })
    }

    /// The list of all cells of the build.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The digest of the manifest: the identity of the build.
    pub fn build(&self) -> &Digest {
        &self.digest
    }

    /// The object of `cell`, as the host tool packed it.
    ///
    /// # Errors
    /// The blob is cut off or damaged.
    pub fn object(&self, cell: &CellEntry) -> Result<Vec<u8>, ArchiveError> {
        self.blob(cell, &cell.object)
    }

    /// The digests that a swap of `cell` compares.
    ///
    /// # Errors
    /// The blob is cut off or damaged.
    pub fn details(&self, cell: &CellEntry) -> Result<CellDetails, ArchiveError> {
        let bytes = self.blob(cell, &cell.details)?;
        postcard::from_bytes(&bytes).map_err(|error| ArchiveError::Details { cell: cell.name.clone(), error })
    }

    /// Where in the archive's bytes the compressed bytes of `blob` are; `None` if that is no range at all.
    pub fn place(&self, blob: &Blob) -> Option<Range<usize>> {
        let start = self.blobs.checked_add(blob.offset as usize)?;
        Some(start..start.checked_add(blob.stored as usize)?)
    }

    fn blob(&self, cell: &CellEntry, blob: &Blob) -> Result<Vec<u8>, ArchiveError> {
        let damaged = || ArchiveError::Blob { cell: cell.name.clone() };
        let stored = self.place(blob).and_then(|place| self.bytes.as_ref().get(place)).ok_or_else(damaged)?;
        if blob.size > MAX_BLOB {
            return Err(damaged());
        }
        let bytes = lz4_flex::block::decompress(stored, blob.size as usize).map_err(|_| damaged())?;
        let found = digest(&bytes);
        if found != blob.digest {
            return Err(ArchiveError::Digest { cell: cell.name.clone(), recorded: blob.digest, found });
        }
        Ok(bytes)
    }
}

/// Collects blobs for a new archive.
#[derive(Debug, Default)]
pub struct Packer {
    blobs: Vec<u8>,
}

impl Packer {
    /// Nothing packed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Compresses and appends `bytes`.
    ///
    /// # Errors
    /// [`ArchiveError::TooLarge`] if the blob or the archive would pass the format's limits.
    pub fn add(&mut self, bytes: &[u8]) -> Result<Blob, ArchiveError> {
        let too_large = |_| ArchiveError::TooLarge { size: bytes.len() };
        let stored = lz4_flex::block::compress(bytes);
        let blob = Blob {
            offset: u32::try_from(self.blobs.len()).map_err(too_large)?,
            stored: u32::try_from(stored.len()).map_err(too_large)?,
            size: u32::try_from(bytes.len()).map_err(too_large)?,
            digest: digest(bytes),
        };
        if blob.size > MAX_BLOB {
            return Err(ArchiveError::TooLarge { size: bytes.len() });
        }
        self.blobs.extend_from_slice(&stored);
        Ok(blob)
    }

    /// Appends a blob that `other` has compressed.
    ///
    /// # Errors
    /// [`ArchiveError::TooLarge`] if this archive would pass the format's limits.
    ///
    /// # Panics
    /// If the blob is not one of `other`'s.
    pub fn copy(&mut self, other: &Self, blob: &Blob) -> Result<Blob, ArchiveError> {
        let start = blob.offset as usize;
        let offset =
            u32::try_from(self.blobs.len()).map_err(|_| ArchiveError::TooLarge { size: blob.size as usize })?;
        self.blobs.extend_from_slice(&other.blobs[start..start + blob.stored as usize]);
        Ok(Blob { offset, ..*blob })
    }

    /// The archive's bytes and the identity of the build.
    ///
    /// # Errors
    /// [`ArchiveError::Manifest`] if the manifest cannot be written, [`ArchiveError::TooLarge`] if it is too large.
    pub fn finish(self, manifest: &Manifest) -> Result<(Vec<u8>, Digest), ArchiveError> {
        let manifest = postcard::to_allocvec(manifest).map_err(ArchiveError::Manifest)?;
        let size = u32::try_from(manifest.len()).map_err(|_| ArchiveError::TooLarge { size: manifest.len() })?;
        let digest = digest(&manifest);
        let mut bytes = Vec::with_capacity(HEADER + manifest.len() + self.blobs.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&size.to_le_bytes());
        bytes.extend_from_slice(&digest);
        bytes.extend_from_slice(&manifest);
        bytes.extend_from_slice(&self.blobs);
        Ok((bytes, digest))
    }
}

#[cfg(test)]
mod tests;
