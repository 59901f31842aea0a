//! How the tree reads, in numbers.
//!
//! [`prose`]: words that hide the subject of a sentence, and long lines of Markdown; [`circles`]: files of one crate that
//! need each other; [`arguments`]: places with `unsafe` and how many of them argue for themselves; [`pages`]: pages that
//! follow one path through the sources, file by file; [`invariants`]: the page of invariants and the checks that it names.
//!
//! Everything is read from the sources as they are on the disk; nothing is built. A file that cannot be read is an error, so
//! a count is never of a part of the tree.

pub mod arguments;
pub mod circles;
pub mod invariants;
pub mod pages;
pub mod prose;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why something could not be measured.
#[derive(Debug)]
pub enum HouseError {
    /// A file or folder cannot be read.
    File {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file is not Rust.
    Syntax {
        /// Its path.
        path: PathBuf,
        /// Where and what.
        error: syn::Error,
    },
}

impl fmt::Display for HouseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Syntax { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for HouseError {}

/// Reads a text file.
pub(crate) fn read(path: &Path) -> Result<String, HouseError> {
    fs::read_to_string(path).map_err(|error| HouseError::File { path: path.to_owned(), error })
}

/// All files below `folder` with this extension, sorted; not those that a build makes, nor hidden ones.
pub(crate) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, HouseError> {
    let failed = |error| HouseError::File { path: folder.to_owned(), error };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name == "target" || name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|has| has == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The folders of the target's crates under `root`, sorted: those with a manifest and sources.
pub(crate) fn crates(root: &Path) -> Result<Vec<PathBuf>, HouseError> {
    let mut found = Vec::new();
    for top in ["cells", "kernel", "applications", "tests/cells"] {
        let folder = root.join(top);
        if !folder.is_dir() {
            continue;
        }
        let manifests = files(&folder, "toml")?.into_iter().filter(|path| path.ends_with("Cargo.toml"));
        found.extend(manifests.filter_map(|path| path.parent().map(Path::to_owned)));
    }
    found.retain(|folder| folder.join("src").is_dir());
    Ok(found)
}
