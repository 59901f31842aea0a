//! One object, damaged as a user wishes, and the loader's answer.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use namespace::{LoadError, Scope};

use crate::random_damage::flip;

/// The damage that is done to an object before the loader gets it.
#[derive(Clone, Copy, Debug)]
pub enum Damage {
    /// None.
    Sound,
    /// All bytes from this one on are missing.
    Cut(usize),
    /// This bit has the other value.
    Flip(usize),
}

/// Why an object could not be loaded on trial.
#[derive(Debug)]
pub enum AttemptError {
    /// The object ends before the place of the damage.
    Short {
        /// Its size.
        bytes: usize,
    },
    /// The loader refused it.
    Refused(Box<LoadError>),
}

impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { bytes } => write!(f, "the object has {bytes} bytes only"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AttemptError {}

impl From<LoadError> for AttemptError {
    fn from(error: LoadError) -> Self {
        Self::Refused(Box::new(error))
    }
}

/// Loads the object of the cell called `name` on trial, with `damage` done to it; returns its size. The system is as before in
/// any case.
///
/// # Errors
/// [`AttemptError`] says where the object ends, or why the loader refused it.
pub fn attempt(name: &str, damage: Damage) -> Result<usize, AttemptError> {
    let object = namespace::archived_object(name)?;
    let bytes = object.len();
    let mut file = Vec::from(&*object);
    match damage {
        Damage::Sound => {}
        Damage::Cut(size) if size <= bytes => file.truncate(size),
        Damage::Flip(bit) if flip(&mut file, bit) => {}
        Damage::Cut(_) | Damage::Flip(_) => return Err(AttemptError::Short { bytes }),
    }
    namespace::check_object(name, &file, Scope::Private)?;
    Ok(file.len())
}
