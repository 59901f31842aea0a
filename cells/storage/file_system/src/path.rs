//! Paths and the names they consist of.
use crate::FsError;
use alloc::string::String;
use alloc::vec::Vec;

/// Longest name, in bytes, as on most systems.
pub const MAX_NAME: usize = 255;

/// Whether `name` can name a node.
pub fn is_name(name: &str) -> bool {
    let length = 1..=MAX_NAME;
    length.contains(&name.len())
        && name != "."
        && name != ".."
        && !name.contains(['/', '\0'])
        && !name.contains(char::is_control)
}

/// The names of a path, from the root; the root itself has none.
pub fn components(path: &str) -> impl Iterator<Item = Result<&str, FsError>> {
    path.split('/')
        .filter(|name| !name.is_empty() && *name != ".")
        .map(|name| if is_name(name) { Ok(name) } else { Err(FsError::InvalidName) })
}

/// The absolute path that `path` means in the directory `base`: names only, without `.` and `..`. The directory above the
/// root is the root.
///
/// # Errors
/// [`FsError::EmptyPath`], [`FsError::InvalidName`].
pub fn absolute(base: &str, path: &str) -> Result<String, FsError> {
    if path.is_empty() {
        return Err(FsError::EmptyPath);
    }
    let base = if path.starts_with('/') { "" } else { base };
    let mut names = Vec::new();
    for name in base.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name if is_name(name) => names.push(name),
            _ => return Err(FsError::InvalidName),
        }
    }
    let mut absolute = String::new();
    for name in &names {
        absolute.push('/');
        absolute.push_str(name);
    }
    if names.is_empty() {
        absolute.push('/');
    }
    Ok(absolute)
}

/// A path as its parent and its last name; the root has none, and a trailing `/` is of no account.
pub(crate) fn split_last(path: &str) -> Result<(&str, &str), FsError> {
    let path = path.trim_end_matches('/');
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "" => Err(FsError::IsRoot),
        name if is_name(name) => Ok((parent, name)),
        _ => Err(FsError::InvalidName),
    }
}
