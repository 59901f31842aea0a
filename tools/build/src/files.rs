//! Files of a build: each is whole or absent.
//!
//! A file is written under another name and renamed, so a build that is interrupted leaves the old file or the new one,
//! and a reader never sees half of either.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::BuildError;

/// Writes `bytes` to `path`; the folder is made if there is none.
///
/// # Errors
/// [`BuildError::File`].
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), BuildError> {
    let unfinished = unfinished(path)?;
    fs::write(&unfinished, bytes).map_err(|source| BuildError::file(&unfinished, source))?;
    fs::rename(&unfinished, path).map_err(|source| BuildError::file(path, source))
}

/// The name under which `path` is written before it is renamed; its folder exists then. The number of the process keeps
/// two compilers that cargo runs side by side apart.
pub(crate) fn unfinished(path: &Path) -> Result<PathBuf, BuildError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|source| BuildError::file(folder, source))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(folder.join(format!(".{name}.{}.unfinished", std::process::id())))
}

/// As [`write`], but a file with these bytes is left alone.
pub(crate) fn write_if_different(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    if fs::read(path).is_ok_and(|present| present == bytes) { Ok(()) } else { write(path, bytes) }
}

/// A digest as text.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|source| BuildError::file(path, source))
}

/// What is in a folder, by name; nothing if there is no folder.
pub(crate) fn entries(path: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        Ok(entries)
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map_err(|source| BuildError::file(path, source)),
    }
}

/// All files in a folder and the folders in it.
pub(crate) fn below(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.extend(below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Removes a file or a folder with all that is in it.
pub(crate) fn remove(path: &Path) -> Result<(), BuildError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(|source| BuildError::file(path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_no_other_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inner/file");
        write(&path, "old").unwrap();
        write(&path, "new").unwrap();
        assert_eq!(read(&path).unwrap(), b"new");
        assert_eq!(below(folder.path()).unwrap(), [path]);
    }

    #[test]
    fn the_same_bytes_are_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, "same").unwrap();
        let number = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
        let before = number(&path);
        write_if_different(&path, b"same").unwrap();
        assert_eq!(number(&path), before);
        write_if_different(&path, b"other").unwrap();
        assert_eq!(read(&path).unwrap(), b"other");
    }
}
