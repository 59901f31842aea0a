//! Where a file goes that is copied or moved.
use crate::{absolute, last_name, metadata, refused};
use alloc::format;
use alloc::string::String;
use application::{Environment, Failure};
use core::fmt;
use vfs::{FsError, Kind};

/// A path that something is to be put at.
pub struct Target {
    name: String,
    path: String,
    exists: bool,
}

impl Target {
    /// The absolute path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path as the user would type it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Refuses a file that is there, unless it may be replaced.
    ///
    /// # Errors
    /// There is a file.
    pub fn must_be_free(&self, may_replace: bool) -> Result<(), Failure> {
        if self.exists && !may_replace { Err(Failure::refused(Taken(self.name.clone()))) } else { Ok(()) }
    }
}

struct Taken(String);

impl fmt::Display for Taken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: exists already; -f replaces it", self.0)
    }
}

/// The place of `from` at `to`: in it, if that is a directory, which it must be for one of several.
///
/// # Errors
/// A path has a part that is no name, or `to` is no directory.
pub fn target(environment: &Environment, from: &str, to: &str, one_of_several: bool) -> Result<Target, Failure> {
    let found = metadata(environment, to)?;
    let name = match found {
        Some(metadata) if metadata.kind == Kind::Directory => {
            let from = absolute(environment, from)?;
            format!("{}/{}", to.trim_end_matches('/'), last_name(&from))
        }
        _ if one_of_several => return Err(refused(to, FsError::NotADirectory)),
        _ => String::from(to),
    };
    let path = absolute(environment, &name)?;
    let exists = metadata(environment, &name)?.is_some();
    Ok(Target { name, path, exists })
}
