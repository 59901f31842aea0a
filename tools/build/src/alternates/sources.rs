//! The sources of an alternate: copies of the crates that it changes, with the change in them.
//!
//! A diff is taken for what it says: if the context of a hunk is no longer in the file, the hunk is refused, with the place.
//! The place of a hunk is never guessed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use diffy::patch_set::{FileOperation, ParseOptions, PatchSet};
use toml::Table;

use super::{Alternate, sweep};
use crate::{
    BuildError, Tree,
    compile::{Compiled, Library},
    files,
    manifests::{self, named_dependencies},
};

/// A crate with sources that an alternate changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edited {
    /// Its name.
    pub name: String,
    /// The folder of its package in the checkout, as a path in that.
    pub package: PathBuf,
    /// Crates that it uses and the base's does not: the name in the sources, and their own.
    pub added: Vec<(String, String)>,
    /// Crates that the base's uses and it does not, by their own names.
    pub removed: Vec<String>,
}

/// All files of the packages that an alternate changes, by their paths in the checkout, and these packages by the crates' names.
#[derive(Debug)]
pub(super) struct Change {
    files: BTreeMap<PathBuf, Vec<u8>>,
    packages: BTreeMap<String, PathBuf>,
}

/// Reads the change of `alternate` and applies it to what the tree has.
///
/// # Errors
/// A diff that cannot be read or does not apply; files or crates that belong to no crate of the tree; no change at all.
pub(super) fn change(tree: &Tree, alternate: &Alternate, compiled: &Compiled) -> Result<Change, BuildError> {
    let mut change = Change { files: BTreeMap::new(), packages: BTreeMap::new() };
    for folder in alternate.crates()? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let package = compiled.libraries.iter().find(|library| library.name == name).and_then(|one| package(tree, one));
        let unknown = || BuildError::alternate(alternate, format!("the tree has no crate {name} for it to replace"));
        let package = package.ok_or_else(unknown)?;
        for path in files::below(&folder)? {
            let inside = path.strip_prefix(&folder).unwrap_or(&path);
            change.files.insert(package.join(inside), files::read(&path)?);
        }
        change.packages.insert(name, package);
    }
    let diff = alternate.folder.join("change.diff");
    if diff.is_file() {
        change.apply(tree, alternate, compiled, &diff)?;
    }
    if change.packages.is_empty() {
        return Err(BuildError::alternate(alternate, "its folder holds neither change.diff nor a crate"));
    }
    Ok(change)
}

/// The folder of a library's package as a path in the checkout, if it is there.
fn package(tree: &Tree, library: &Library) -> Option<PathBuf> {
    library.manifest.parent()?.strip_prefix(&tree.root).ok().map(Path::to_owned)
}

impl Change {
    fn apply(
        &mut self,
        tree: &Tree,
        alternate: &Alternate,
        compiled: &Compiled,
        diff: &Path,
    ) -> Result<(), BuildError> {
        let name = diff.strip_prefix(&tree.root).unwrap_or(diff).display().to_string();
        let refused = |why: String| BuildError::alternate(alternate, format!("{name}: {why}"));
        let text = String::from_utf8(files::read(diff)?).map_err(|error| refused(error.to_string()))?;
        for patch in PatchSet::parse(&text, ParseOptions::unidiff()) {
            let patch = patch.map_err(|error| refused(error.to_string()))?;
            let operation = patch.operation().strip_prefix(1);
            let (FileOperation::Create(path)
            | FileOperation::Delete(path)
            | FileOperation::Modify { modified: path, .. }) = &operation
            else {
                return Err(refused("files are renamed or copied; write them as removed and added".to_owned()));
            };
            let path = PathBuf::from(path.as_ref());
            self.copy_package(tree, compiled, &path)
                .map_err(|error| refused(error.to_string()))?
                .ok_or_else(|| refused(format!("{} is in no crate of the tree", path.display())))?;
            let hunks = patch.patch().as_text().ok_or_else(|| refused("not a text".to_owned()))?;
            let before = match (operation.is_create(), self.files.get(&path)) {
                (true, Some(_)) => return Err(refused(format!("{} exists already", path.display()))),
                (true, None) => Vec::new(),
                (false, Some(before)) => before.clone(),
                (false, None) => return Err(refused(format!("the tree has no {}", path.display()))),
            };
            let before = String::from_utf8(before).map_err(|error| refused(error.to_string()))?;
            let after = diffy::apply(&before, hunks).map_err(|error| {
                refused(format!(
                    "does not apply to {}: {error}; the file has changed since, so make the diff again",
                    path.display()
                ))
            })?;
            if operation.is_delete() {
                self.files.remove(&path);
            } else {
                self.files.insert(path, after.into_bytes());
            }
        }
        Ok(())
    }

    /// Takes in the package with the file `path`, unless it is there; none if there is no such package.
    fn copy_package(&mut self, tree: &Tree, compiled: &Compiled, path: &Path) -> Result<Option<()>, BuildError> {
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        let holds =
            |library: &&Library| package(tree, library).is_some_and(|package| plain && path.starts_with(package));
        let Some(library) = compiled.libraries.iter().find(holds) else { return Ok(None) };
        let package = package(tree, library).unwrap_or_default();
        if self.packages.insert(library.name.clone(), package.clone()).is_none() {
            for path in files::below(&tree.root.join(&package))? {
                let inside = path.strip_prefix(&tree.root).unwrap_or(&path).to_owned();
                self.files.insert(inside, files::read(&path)?);
            }
        }
        Ok(Some(()))
    }
}

/// Writes the sources of `alternate` to its folder. A file that is there already is not touched, one that is there without
/// need is removed.
///
/// # Errors
/// As for [`change`]; a `Cargo.toml` that changes more than dependencies.
pub(super) fn prepare(tree: &Tree, alternate: &Alternate, compiled: &Compiled) -> Result<Vec<Edited>, BuildError> {
    let Change { files, packages } = change(tree, alternate, compiled)?;
    let folder = alternate.sources(tree);
    sweep_below(&folder, &files.keys().map(|path| folder.join(path)).collect())?;
    for (path, bytes) in &files {
        files::write_if_different(&folder.join(path), bytes)?;
    }
    let edited = |(name, package): (String, PathBuf)| {
        let manifest = |root: &Path| manifests::read::<Table>(&root.join(&package).join("Cargo.toml"));
        let (before, after) = (manifest(&tree.root)?, manifest(&folder)?);
        if rest(&before, &after) != rest(&after, &before) {
            let why = format!("{}/Cargo.toml changes more than which crates it depends on", package.display());
            return Err(BuildError::alternate(alternate, why));
        }
        let (before, after) = (named_dependencies(&before), named_dependencies(&after));
        let added = after.iter().filter(|(name, _)| !before.contains_key(*name));
        let added = added.map(|(name, krate)| (name.clone(), krate.clone())).collect();
        let removed =
            before.into_iter().filter(|(name, _)| !after.contains_key(name)).map(|(_, krate)| krate).collect();
        Ok(Edited { name, package, added, removed })
    };
    packages.into_iter().map(edited).collect()
}

/// What must be the same in the manifests of a crate and of the one in its place: all that cargo would make other arguments of,
/// but for dependencies that only one of them has. Tests are the base's affair.
fn rest(manifest: &Table, other: &Table) -> Table {
    let mut rest = manifest.clone();
    rest.remove("dev-dependencies");
    if let Some(package) = rest.get_mut("package").and_then(toml::Value::as_table_mut) {
        package.remove("description");
        package.remove("metadata");
    }
    let kept = other.get("dependencies").and_then(toml::Value::as_table);
    let dependencies = rest.get_mut("dependencies").and_then(toml::Value::as_table_mut);
    if let Some(dependencies) = dependencies {
        dependencies.retain(|name, _| kept.is_some_and(|kept| kept.contains_key(name)));
        if dependencies.is_empty() {
            rest.remove("dependencies");
        }
    }
    rest
}

fn sweep_below(folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<(), BuildError> {
    let needed = |path: &Path| wanted.iter().any(|file| file.starts_with(path));
    sweep(folder, needed)?;
    for path in files::entries(folder)?.iter().filter(|path| path.is_dir()) {
        sweep_below(path, wanted)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALENDAR: &str = "//! Dates.\n\n/// A year.\npub type Year = u16;\n";

    /// A tree of one crate, and an alternate with this diff.
    fn tree(diff: &str) -> (tempfile::TempDir, Tree, Alternate, Compiled) {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree { root: folder.path().to_owned() };
        let package = tree.root.join("cells/devices/calendar");
        files::write(&package.join("src/lib.rs"), CALENDAR).unwrap();
        files::write(&package.join("Cargo.toml"), "[package]\nname = \"calendar\"\n[dependencies]\nclock = \"1\"\n")
            .unwrap();
        let alternate = Alternate {
            name: "far".into(),
            description: "Far years".into(),
            refused: false,
            folder: tree.root.join("build/alternates/far"),
        };
        files::write(&alternate.folder.join("change.diff"), diff).unwrap();
        let library = Library {
            name: "calendar".into(),
            version: "0.1.0".into(),
            tree: tree.root.clone(),
            source: package.join("src/lib.rs"),
            manifest: package.join("Cargo.toml"),
            path: tree.root.join("libcalendar.rlib"),
        };
        let compiled = Compiled { libraries: vec![library], compiler: String::new(), invocations: PathBuf::new() };
        (folder, tree, alternate, compiled)
    }

    fn prepared(diff: &str) -> Result<(tempfile::TempDir, PathBuf, Vec<Edited>), String> {
        let (folder, tree, alternate, compiled) = tree(diff);
        let edited = prepare(&tree, &alternate, &compiled).map_err(|error| error.to_string())?;
        Ok((folder, alternate.sources(&tree), edited))
    }

    const YEARS: &str = "--- a/cells/devices/calendar/src/lib.rs\n+++ b/cells/devices/calendar/src/lib.rs\n\
        @@ -3,2 +3,2 @@\n /// A year.\n-pub type Year = u16;\n+pub type Year = u32;\n";

    #[test]
    fn a_diff_changes_a_copy() {
        let (_folder, sources, edited) = prepared(YEARS).unwrap();
        let changed = std::fs::read_to_string(sources.join("cells/devices/calendar/src/lib.rs")).unwrap();
        assert_eq!(changed, CALENDAR.replace("u16", "u32"));
        assert_eq!(edited.len(), 1);
        assert_eq!((edited[0].name.as_str(), edited[0].package.to_str()), ("calendar", Some("cells/devices/calendar")));
    }

    #[test]
    fn a_diff_that_does_not_apply_is_refused_with_the_place() {
        let error = prepared(&YEARS.replace("Year = u16", "Year = u8")).unwrap_err();
        assert!(error.contains("alternate far") && error.contains("calendar/src/lib.rs"), "{error}");
        let error = prepared(&YEARS.replace("calendar", "sundial")).unwrap_err();
        assert!(error.contains("cells/devices/sundial/src/lib.rs is in no crate"), "{error}");
    }

    #[test]
    fn a_diff_does_not_leave_the_tree() {
        let outside = YEARS.replace("cells/devices/calendar/src", "cells/devices/calendar/../../../../etc");
        assert!(prepared(&outside).unwrap_err().contains("is in no crate"));
    }

    #[test]
    fn files_come_and_go() {
        let diff = "--- /dev/null\n+++ b/cells/devices/calendar/src/new.rs\n@@ -0,0 +1 @@\n+//! New.\n\
            --- a/cells/devices/calendar/src/lib.rs\n+++ /dev/null\n@@ -1,4 +0,0 @@\n-//! Dates.\n-\n-/// A year.\n\
            -pub type Year = u16;\n";
        let (_folder, sources, _) = prepared(diff).unwrap();
        let names: Vec<_> = files::below(&sources).unwrap();
        let package = sources.join("cells/devices/calendar");
        assert_eq!(names, [package.join("Cargo.toml"), package.join("src/new.rs")]);
    }

    #[test]
    fn what_an_earlier_change_left_is_removed() {
        let (_folder, tree, alternate, compiled) = tree(YEARS);
        let stray = alternate.sources(&tree).join("cells/devices/sundial/src/lib.rs");
        files::write(&stray, "").unwrap();
        prepare(&tree, &alternate, &compiled).unwrap();
        assert!(!stray.exists() && files::below(&alternate.sources(&tree)).unwrap().len() == 2);
    }

    #[test]
    fn dependencies_may_change_and_features_not() {
        let manifest = |line: &str| {
            format!(
                "--- a/cells/devices/calendar/Cargo.toml\n+++ b/cells/devices/calendar/Cargo.toml\n@@ -2,3 +2,3 @@\n \
                name = \"calendar\"\n [dependencies]\n-clock = \"1\"\n+{line}\n"
            )
        };
        let (_folder, _, edited) = prepared(&manifest("moon-phase = \"1\"")).unwrap();
        assert_eq!(edited[0].added, [("moon_phase".to_owned(), "moon_phase".to_owned())]);
        assert_eq!(edited[0].removed, ["clock"]);
        let error = prepared(&manifest("clock = { version = \"1\", features = [\"x\"] }")).unwrap_err();
        assert!(error.contains("changes more than which crates it depends on"), "{error}");
    }
}
