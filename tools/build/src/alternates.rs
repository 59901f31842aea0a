//! Alternate builds: the tree with a change, of which only the cells that differ travel.
//!
//! An alternate is a folder `build/alternates/NAME`, or `tests/alternates/NAME` if only tests swap to it. In it are:
//! - `alternate.toml`: `description`, one line for people, and `outcome`, which a swap to it must have: `accepted` or `refused`;
//! - `change.diff`: a unified diff of the tree, which [`sources`] applies to copies of the crates that it touches;
//! - or whole crates, folders with a `Cargo.toml`, each in the place of the crate of its name.
//!
//! What an alternate changes beyond that is not declared but found: [`recompile`] compiles what depends on the changed crates,
//! every cell with an object that differs belongs to the swap set, and [`reasons`] names the differences.

pub mod reasons;
mod recompile;
mod schedule;
mod sources;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{
    BuildError, Tree, applications,
    cells::{self, Cell},
    compile::Compiled,
    entry_points, files, groups, manifests,
    store::Store,
};

pub use recompile::{Recompiled, Unit};
pub use sources::Edited;

/// Where alternates are.
const FOLDERS: [&str; 2] = ["build/alternates", "tests/alternates"];

/// Set to leave the alternates out of a build.
const BASE_ONLY: &str = "MITOS_BASE_ONLY";

/// What becomes of a swap to an alternate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Accepted,
    Refused,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    description: String,
    outcome: Outcome,
}

/// One alternate, as its folder says.
#[derive(Clone, Debug)]
pub struct Alternate {
    /// As in `swap NAME`.
    pub name: String,
    /// What it is, one line.
    pub description: String,
    /// A swap to it is to be refused.
    pub refused: bool,
    /// Where it is.
    folder: PathBuf,
}

/// An alternate and its cells.
#[derive(Debug)]
pub struct Built {
    /// Which one.
    pub alternate: Alternate,
    /// The crates that it changes.
    pub edited: Vec<String>,
    /// Its whole tree, as the base's: cells that it leaves alone are the same.
    pub cells: Vec<Cell>,
}

impl Built {
    /// The cells with objects that differ from those of `base`, with their numbers: the swap set.
    pub fn changed<'a>(&'a self, base: &'a [Cell]) -> impl Iterator<Item = (usize, &'a Cell)> {
        let pairs = self.cells.iter().enumerate().zip(base);
        pairs.filter(|((_, cell), same)| cell.file != same.file).map(|(changed, _)| changed)
    }
}

/// All alternates of the tree, by name.
///
/// # Errors
/// Manifests that are missing or damaged; two alternates of one name.
pub fn find(tree: &Tree) -> Result<Vec<Alternate>, BuildError> {
    let mut found = Vec::new();
    for parent in FOLDERS {
        for folder in files::entries(&tree.root.join(parent))?.into_iter().filter(|path| path.is_dir()) {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Manifest { description, outcome } = manifests::read(&folder.join("alternate.toml"))?;
            found.push(Alternate { name, description, refused: outcome == Outcome::Refused, folder });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    match found.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(BuildError::alternate(&pair[0], "there are two of this name")),
        None => Ok(found),
    }
}

impl Alternate {
    /// Where its copies of sources are: a folder that stands for the checkout.
    fn sources(&self, tree: &Tree) -> PathBuf {
        self.made(tree).join("sources")
    }

    /// Where the libraries are that differ from the base's.
    fn libraries(&self, tree: &Tree) -> PathBuf {
        self.made(tree).join("libraries")
    }

    fn made(&self, tree: &Tree) -> PathBuf {
        made(tree).join(&self.name)
    }

    /// The whole crates in its folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn crates(&self) -> Result<Vec<PathBuf>, BuildError> {
        let all = files::entries(&self.folder)?;
        Ok(all.into_iter().filter(|path| path.join("Cargo.toml").is_file()).collect())
    }
}

fn made(tree: &Tree) -> PathBuf {
    tree.root.join("target/alternates")
}

/// Whether the build leaves the alternates out: for the quick turn of work on one cell.
#[must_use]
pub fn are_left_out() -> bool {
    std::env::var_os(BASE_ONLY).is_some()
}

/// Compiles all alternates and finds their cells. If they are left out, only says which no longer fit the tree.
///
/// # Errors
/// A change that does not apply, crates that do not compile, an alternate in which no object differs.
pub fn build(tree: &Tree, compiled: &Compiled, base: &[Cell], store: &Store) -> Result<Vec<Built>, BuildError> {
    let alternates = find(tree)?;
    if are_left_out() {
        for error in alternates.iter().filter_map(|alternate| sources::change(tree, alternate, compiled).err()) {
            eprintln!("mitos: warning: {error}");
        }
        return Ok(Vec::new());
    }
    sweep(&made(tree), |path| alternates.iter().any(|alternate| path == alternate.made(tree)))?;
    let recompiled = recompile::recompile(tree, compiled, &alternates)?;
    let mut built = Vec::new();
    for (alternate, Recompiled { edited, libraries, .. }) in alternates.into_iter().zip(recompiled) {
        let cells = cells::collect(&libraries, store, base)?;
        groups::check(tree, &cells)?;
        applications::check(tree, &cells)?;
        entry_points::check(tree, &cells, base, store)?;
        let edited = edited.into_iter().map(|edited| edited.name).collect();
        let one = Built { alternate, edited, cells };
        if one.changed(base).next().is_none() {
            return Err(BuildError::alternate(&one.alternate, "no object differs from the base's"));
        }
        built.push(one);
    }
    Ok(built)
}

/// Compiles alternates as a build does and gives what was done, for lints.
///
/// # Errors
/// As for [`build`].
pub fn recompile(tree: &Tree, compiled: &Compiled) -> Result<Vec<(Alternate, Recompiled)>, BuildError> {
    let alternates = find(tree)?;
    let recompiled = recompile::recompile(tree, compiled, &alternates)?;
    Ok(alternates.into_iter().zip(recompiled).collect())
}

/// Finds the objects that differ when a crate is compiled as an alternate compiles it, but unchanged. There are none, or swap sets
/// hold cells that nothing has changed.
///
/// # Errors
/// As for [`build`].
pub fn differing_without_change(
    tree: &Tree,
    compiled: &Compiled,
    base: &[Cell],
    krate: &str,
) -> Result<Vec<String>, BuildError> {
    let store = Store::open(tree)?;
    let folder = made(tree).join(".unchanged");
    let missing = || BuildError::Missing { what: format!("the crate {krate}") };
    let library = compiled.libraries.iter().find(|library| library.name == krate).ok_or_else(missing)?;
    let package = library.manifest.parent().unwrap_or(&library.manifest);
    let copy = folder.join(krate);
    for path in files::below(package)? {
        files::write_if_different(&copy.join(path.strip_prefix(package).unwrap_or(&path)), &files::read(&path)?)?;
    }
    let alternate =
        Alternate { name: ".unchanged".to_owned(), description: String::new(), refused: false, folder: folder.clone() };
    let recompiled = recompile::recompile(tree, compiled, std::slice::from_ref(&alternate))?;
    let libraries: Vec<_> = recompiled.into_iter().flat_map(|recompiled| recompiled.libraries).collect();
    let cells = cells::collect(&libraries, &store, base)?;
    files::remove(&folder)?;
    let built = Built { alternate, edited: Vec::new(), cells };
    Ok(built.changed(base).map(|(_, cell)| cell.name().to_owned()).collect())
}

/// Removes from a folder what is not `wanted`.
fn sweep(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<(), BuildError> {
    files::entries(folder)?.iter().filter(|path| !wanted(path)).try_for_each(|path| files::remove(path))
}
