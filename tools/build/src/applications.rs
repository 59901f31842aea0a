//! What applications may use: `build/applications.toml`, and the check that they use nothing else.
//!
//! An application has no `unsafe`, but a safe function of a cell that trusts its callers would serve it as well. So an
//! application depends only on cells that were made for it, or that it was granted, which is one file to review.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;
use toml::{Table, Value};

use crate::{
    BuildError, Tree,
    cells::Cell,
    manifests::{dependencies, read},
};

/// The group of cells that are applications.
pub const GROUP: &str = "applications";

/// The group of third-party cells.
const PACKAGES: &str = "packages";

/// The cells that applications may use.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rights {
    every: BTreeSet<String>,
    /// For single applications of the product.
    granted: BTreeMap<String, BTreeSet<String>>,
    /// For single applications of the archive of tests.
    granted_in_tests: BTreeMap<String, BTreeSet<String>>,
    /// Third-party packages, each with the reason why every application may use it.
    packages: BTreeMap<String, String>,
}

impl Rights {
    fn admit(&self, application: &str, used: &str) -> bool {
        let granted = self.grants().find(|(name, _)| *name == application);
        self.every.contains(used)
            || self.packages.contains_key(used)
            || granted.is_some_and(|(_, cells)| cells.contains(used))
    }

    fn grants(&self) -> impl Iterator<Item = (&String, &BTreeSet<String>)> {
        self.granted.iter().chain(&self.granted_in_tests)
    }
}

/// The crates that the manifest of `cell` names as dependencies.
///
/// # Errors
/// The manifest cannot be read.
pub fn used_by(cell: &Cell) -> Result<BTreeSet<String>, BuildError> {
    Ok(dependencies(&read(&cell.library.manifest)?))
}

fn rights(tree: &Tree) -> Result<Rights, BuildError> {
    read(&tree.root.join("build/applications.toml"))
}

/// Refuses an application with this manifest if it has a build script or depends on a cell that it may not use.
///
/// # Errors
/// [`BuildError::NotForApplications`], [`BuildError::BuildScript`]; a file that cannot be read.
pub fn examine(tree: &Tree, manifest: &Path) -> Result<(), BuildError> {
    examine_with(&rights(tree)?, manifest)
}

fn examine_with(rights: &Rights, path: &Path) -> Result<(), BuildError> {
    let manifest: Table = read(path)?;
    let package = manifest.get("package").and_then(Value::as_table);
    let entry = |key| package.and_then(|package| package.get(key));
    let application = entry("name").and_then(Value::as_str).unwrap_or_default().replace('-', "_");
    let has_script = entry("build").is_some() || path.with_file_name("build.rs").exists();
    if has_script || manifest.contains_key("build-dependencies") {
        return Err(BuildError::BuildScript { application });
    }
    match dependencies(&manifest).into_iter().find(|used| !rights.admit(&application, used)) {
        Some(used) => Err(BuildError::NotForApplications { application, used }),
        None => Ok(()),
    }
}

/// Refuses an application that reaches a third-party package through another one, if that is not listed, too.
fn examine_packages(rights: &Rights, application: &Cell, cells: &[Cell]) -> Result<(), BuildError> {
    let package = |name: &String| cells.iter().find(|cell| cell.group == PACKAGES && cell.name() == name);
    let mut open: Vec<&Cell> = dependencies(&read(&application.library.manifest)?).iter().filter_map(package).collect();
    let mut seen = BTreeSet::new();
    while let Some(cell) = open.pop() {
        if !seen.insert(cell.name()) {
            continue;
        }
        if !rights.packages.contains_key(cell.name()) {
            let (application, used) = (application.name().to_owned(), cell.name().to_owned());
            return Err(BuildError::NotForApplications { application, used });
        }
        open.extend(dependencies(&read(&cell.library.manifest)?).iter().filter_map(package));
    }
    Ok(())
}

/// Refuses applications that have build scripts or depend on cells which they may not use.
///
/// # Errors
/// [`BuildError::NotForApplications`], [`BuildError::BuildScript`], [`BuildError::StrayGrant`]; files that cannot be read.
pub fn check(tree: &Tree, cells: &[Cell]) -> Result<(), BuildError> {
    let rights = rights(tree)?;
    let mut applications = BTreeSet::new();
    for cell in cells.iter().filter(|cell| cell.group == GROUP) {
        examine_with(&rights, &cell.library.manifest)?;
        examine_packages(&rights, cell, cells)?;
        applications.insert(cell.name());
    }
    match rights.grants().find(|(name, _)| !applications.contains(name.as_str())) {
        Some((name, _)) => Err(BuildError::StrayGrant { application: name.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_for_one_application() {
        let rights: Rights = toml::from_str(
            "every = [\"task\"]\n[granted]\nmem = [\"frames\"]\n[granted_in_tests]\ncheck = [\"mapping\"]\n\
            [packages]\nlog = \"a reason\"",
        )
        .unwrap();
        assert!(rights.admit("mem", "frames") && rights.admit("mem", "task") && rights.admit("echo", "task"));
        assert!(!rights.admit("echo", "frames") && !rights.admit("mem", "mapping"));
        assert!(rights.admit("echo", "log"));
        assert!(rights.admit("check", "mapping") && !rights.admit("check", "frames"));
    }
}
