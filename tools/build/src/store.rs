//! What is made of objects, kept by content.
//!
//! The name of a file in the store is a digest of all that it was made from, the host tool included. So nothing in it is ever
//! stale, however sources and settings change and change back, and what alternates share with the base is there once.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use manifest::Digest;

use crate::{BuildError, Tree, files};

/// The folder of kept files.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    tool: Digest,
    used: RefCell<BTreeSet<PathBuf>>,
}

impl Store {
    /// The store of this checkout.
    ///
    /// # Errors
    /// The host tool's own file cannot be read.
    pub fn open(tree: &Tree) -> Result<Self, BuildError> {
        let tool = std::env::current_exe().map_err(|source| BuildError::file("mitos", source))?;
        Ok(Self::new(tree.root.join("target/objects"), archive::digest(&files::read(&tool)?)))
    }

    fn new(folder: PathBuf, tool: Digest) -> Self {
        Self { folder, tool, used: RefCell::default() }
    }

    /// The file of the kind `ending` that belongs to `source`; `make` writes it to the path that it is given, if it is not there.
    ///
    /// # Errors
    /// Those of `make`, and a file that cannot be renamed.
    pub fn file(
        &self,
        source: &Digest,
        ending: &str,
        make: impl FnOnce(&Path) -> Result<(), BuildError>,
    ) -> Result<PathBuf, BuildError> {
        let path =
            self.folder.join(format!("{}.{ending}", files::hex(&archive::digest(&[self.tool, *source].concat()))));
        if !path.exists() {
            let unfinished = files::unfinished(&path)?;
            make(&unfinished)?;
            std::fs::rename(&unfinished, &path).map_err(|source| BuildError::file(&path, source))?;
        }
        self.used.borrow_mut().insert(path.clone());
        Ok(path)
    }

    /// As [`Store::file`], for something that is kept as bytes.
    ///
    /// # Errors
    /// Those of `make`, and a file that cannot be written or read.
    pub fn value<T: serde::Serialize + serde::de::DeserializeOwned>(
        &self,
        source: &Digest,
        ending: &str,
        make: impl FnOnce() -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let path = self
            .file(source, ending, |path| files::write(path, postcard::to_stdvec(&make()?).map_err(BuildError::Map)?))?;
        postcard::from_bytes(&files::read(&path)?).map_err(BuildError::Map)
    }

    /// Removes what has not been asked for since the store was opened.
    ///
    /// # Errors
    /// Files that cannot be removed.
    pub fn sweep(&self) -> Result<(), BuildError> {
        let used = self.used.borrow();
        files::entries(&self.folder)?
            .iter()
            .filter(|path| !used.contains(*path))
            .try_for_each(|path| files::remove(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing() -> BuildError {
        BuildError::Missing { what: "something".to_owned() }
    }

    #[test]
    fn what_is_kept_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned(), [0; 32]);
        assert_eq!(store.value(&[1; 32], "number", || Ok(5_u32)).unwrap(), 5);
        assert_eq!(store.value(&[1; 32], "number", || Err::<u32, _>(missing())).unwrap(), 5);
        assert_eq!(store.value(&[2; 32], "number", || Ok(6_u32)).unwrap(), 6);
    }

    #[test]
    fn what_was_interrupted_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned(), [0; 32]);
        let interrupted = store.file(&[1; 32], "o", |path| {
            std::fs::write(path, "half").unwrap();
            Err(missing())
        });
        assert!(interrupted.is_err());
        let path = store.file(&[1; 32], "o", |path| files::write(path, "whole")).unwrap();
        assert_eq!(files::read(&path).unwrap(), b"whole");
        store.sweep().unwrap();
        assert_eq!(files::below(folder.path()).unwrap(), [path]);
    }

    #[test]
    fn another_tool_makes_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let of_tool = |tool| Store::new(folder.path().to_owned(), [tool; 32]);
        assert_eq!(of_tool(1).value(&[1; 32], "number", || Ok(5_u32)).unwrap(), 5);
        assert_eq!(of_tool(2).value(&[1; 32], "number", || Ok(6_u32)).unwrap(), 6);
    }

    #[test]
    fn what_no_build_uses_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned(), [0; 32]);
        store.value(&[1; 32], "number", || Ok(5)).unwrap();
        let store = Store::new(folder.path().to_owned(), [0; 32]);
        store.value(&[2; 32], "number", || Ok(6)).unwrap();
        store.sweep().unwrap();
        assert_eq!(files::entries(folder.path()).unwrap().len(), 1);
    }
}
