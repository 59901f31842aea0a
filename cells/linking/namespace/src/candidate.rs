//! A cell that is to be loaded.

use alloc::{string::String, sync::Arc};

use archive::Archive;
use manifest::CellEntry;
use object::Object;

use crate::LoadError;

/// A cell that is to be loaded: its entry in the manifest and the bytes of its object.
#[derive(Debug)]
pub struct Candidate {
    /// Its entry in the manifest.
    pub entry: Arc<CellEntry>,
    /// The bytes of its object.
    pub file: Arc<[u8]>,
}

impl Candidate {
    /// Gets the object of a cell from the archive. Its digest has been checked when this returns.
    ///
    /// # Errors
    /// [`LoadError::Archive`] if the archive has other bytes than the manifest tells of.
    pub fn fetch(archive: &Archive<&'static [u8]>, entry: Arc<CellEntry>) -> Result<Self, LoadError> {
        let file = archive.object(&entry).map_err(LoadError::Archive)?;
        Ok(Self { entry, file: file.into() })
    }

    /// The name of the cell.
    #[must_use]
    pub fn name(&self) -> String {
        self.entry.name.clone()
    }

    /// Reads the object.
    ///
    /// # Errors
    /// [`LoadError::Object`] if it is damaged, or is no cell's.
    pub fn object(&self) -> Result<Object<'_>, LoadError> {
        Object::parse(&self.file).map_err(|error| LoadError::Object { cell: self.name(), error })
    }
}
