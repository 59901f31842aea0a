//! What applications may use: `build/applications.toml`, and the check that they use nothing else.
//!
//! An application has no `unsafe`, but a safe function of a cell that trusts its callers would serve it as well. So an
//! application depends only on cells that were made for it, or that it was granted, which is one file to review.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    BuildError, Tree,
    cells::Cell,
    manifests::{dependencies, read},
};

/// The group of cells that are applications.
pub const GROUP: &str = "applications";

/// Which cells each application may use.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rights {
    every: BTreeSet<String>,
    granted: BTreeMap<String, BTreeSet<String>>,
}

impl Rights {
    fn admit(&self, application: &str, used: &str) -> bool {
        self.every.contains(used) || self.granted.get(application).is_some_and(|granted| granted.contains(used))
    }
}

/// The crates that the manifest of `cell` names as dependencies.
///
/// # Errors
/// The manifest cannot be read.
pub fn used_by(cell: &Cell) -> Result<BTreeSet<String>, BuildError> {
    Ok(dependencies(&read(&cell.library.manifest)?))
}

/// Refuses applications that depend on cells which they may not use.
///
/// # Errors
/// [`BuildError::NotForApplications`], [`BuildError::StrayGrant`]; files that cannot be read.
pub fn check(tree: &Tree, cells: &[Cell]) -> Result<(), BuildError> {
    let rights: Rights = read(&tree.root.join("build/applications.toml"))?;
    let mut applications = BTreeSet::new();
    for cell in cells.iter().filter(|cell| cell.group == GROUP) {
        if let Some(used) =
            dependencies(&read(&cell.library.manifest)?).into_iter().find(|used| !rights.admit(cell.name(), used))
        {
            return Err(BuildError::NotForApplications { application: cell.name().to_owned(), used });
        }
        applications.insert(cell.name());
    }
    match rights.granted.keys().find(|name| !applications.contains(name.as_str())) {
        Some(name) => Err(BuildError::StrayGrant { application: name.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_for_one_application() {
        let rights: Rights = toml::from_str("every = [\"task\"]\n[granted]\nmem = [\"frames\"]").unwrap();
        assert!(rights.admit("mem", "frames") && rights.admit("mem", "task") && rights.admit("echo", "task"));
        assert!(!rights.admit("echo", "frames") && !rights.admit("mem", "mapping"));
    }
}
