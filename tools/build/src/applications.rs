//! What applications may use: `build/applications.toml`, and the check that they use nothing else.
//!
//! An application has no `unsafe`, but a safe function of a cell that trusts its callers would serve it as well. So an
//! application depends only on cells that were made for it, or that it was granted, which is one file to review.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde::Deserialize;
use toml::{Table, Value};

use crate::{BuildError, Tree, cells::Cell};

/// The group of cells that are applications.
const GROUP: &str = "applications";

/// Who may use what.
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

/// Refuses applications that depend on cells which they may not use.
///
/// # Errors
/// [`BuildError::NotForApplications`], [`BuildError::StrayGrant`]; files that cannot be read.
pub fn check(tree: &Tree, cells: &[Cell]) -> Result<(), BuildError> {
    let rights: Rights = read(&tree.root.join("build/applications.toml"))?;
    let mut applications = BTreeSet::new();
    for cell in cells.iter().filter(|cell| cell.group == GROUP) {
        let manifest: Table = read(&cell.library.manifest)?;
        if let Some(used) = dependencies(&manifest).into_iter().find(|used| !rights.admit(cell.name(), used)) {
            return Err(BuildError::NotForApplications { application: cell.name().to_owned(), used });
        }
        applications.insert(cell.name());
    }
    match rights.granted.keys().find(|name| !applications.contains(name.as_str())) {
        Some(name) => Err(BuildError::StrayGrant { application: name.clone() }),
        None => Ok(()),
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &std::path::Path) -> Result<T, BuildError> {
    let text = fs::read_to_string(path).map_err(|source| BuildError::file(path, source))?;
    toml::from_str(&text).map_err(|source| BuildError::Toml { path: path.to_owned(), source: Box::new(source) })
}

/// The crates that a manifest names as dependencies, for any target, by their own names.
fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let of = |table: &Table| -> Vec<String> {
        let listed = table.get("dependencies").and_then(Value::as_table).into_iter().flatten();
        listed
            .map(|(name, details)| details.get("package").and_then(Value::as_str).unwrap_or(name).replace('-', "_"))
            .collect()
    };
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let of_targets = targets.filter_map(|(_, target)| target.as_table()).flat_map(of);
    of(manifest).into_iter().chain(of_targets).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_known_by_its_own_name() {
        let manifest = "[dependencies]\nplain = \"1\"\nother = { package = \"real-name\", path = \"x\" }\n\
            [target.'cfg(all())'.dependencies]\nhidden = { path = \"y\" }\n[dev-dependencies]\ntests = \"1\"";
        let found = dependencies(&toml::from_str(manifest).unwrap());
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["hidden", "plain", "real_name"]);
    }

    #[test]
    fn a_grant_is_for_one_application() {
        let rights: Rights = toml::from_str("every = [\"task\"]\n[granted]\nmem = [\"frames\"]").unwrap();
        assert!(rights.admit("mem", "frames") && rights.admit("mem", "task") && rights.admit("echo", "task"));
        assert!(!rights.admit("echo", "frames") && !rights.admit("mem", "mapping"));
    }
}
