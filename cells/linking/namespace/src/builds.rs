//! The builds in the archive.

use alloc::{string::String, vec::Vec};

use manifest::Alternate;

use crate::state::{self, State};

/// Name of the build that the system booted with.
pub const BASE: &str = "base";

/// An alternate build in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlternateInfo {
    /// Its name.
    pub name: String,
    /// Its description, one line.
    pub description: String,
    /// It is there to be refused: it shows a change that a swap does not make.
    pub refused: bool,
    /// Names of the cells that differ from the base's.
    pub cells: Vec<String>,
}

impl From<&Alternate> for AlternateInfo {
    fn from(alternate: &Alternate) -> Self {
        Self {
            name: alternate.name.clone(),
            description: alternate.description.clone(),
            refused: alternate.refused,
            cells: alternate.cells.iter().map(|cell| cell.name.clone()).collect(),
        }
    }
}

/// The alternate builds in the archive.
#[must_use]
pub fn alternates() -> Vec<AlternateInfo> {
    let all = |state: &State| state.archive.manifest().alternates.iter().map(AlternateInfo::from).collect();
    state::look(all).unwrap_or_default()
}

/// Name of the build that the system is.
#[must_use]
pub fn current_build() -> String {
    let name = |state: &State| Some(state.archive.manifest().alternates.get(state.build?)?.name.clone());
    state::look(name).flatten().unwrap_or_else(|| String::from(BASE))
}
