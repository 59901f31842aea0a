//! Alternate builds: the tree compiled again with marked overlays.
//!
//! An overlay is a folder `build/overlays/NAME` that mirrors the tree: its files take the place of those of the same path.
//! The first line of documentation in it describes it; where that begins with `Refused:` the build is there to show what a
//! swap refuses. What an overlay changes is not declared but found: every cell whose object differs is part of it.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use manifest::Alternate;

use crate::{
    BuildError, Tree,
    cells::{self, Cell, Graph},
    compile, entry_points,
    isolated_functions::SafeCrates,
    pack::CellPacker,
    wrapper,
};

/// How the description of an overlay begins that is there to be refused.
const REFUSED: &str = "Refused: ";

/// One overlay.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// As in `swap NAME`.
    pub name: String,
    /// First line of its documentation.
    pub description: String,
    /// A swap to it is to be refused.
    refused: bool,
    /// Its files, as paths in the tree.
    files: Vec<PathBuf>,
    /// Where it is.
    folder: PathBuf,
}

/// All overlays of the tree, by name.
///
/// # Errors
/// Files that cannot be read; an overlay without files.
pub fn find(tree: &Tree) -> Result<Vec<Overlay>, BuildError> {
    let overlays = tree.root.join("build/overlays");
    let mut found = Vec::new();
    for folder in entries(&overlays)?.into_iter().filter(|path| path.is_dir()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files: Vec<PathBuf> = files_below(&folder)?
            .into_iter()
            .filter_map(|path| path.strip_prefix(&folder).ok().map(Path::to_owned))
            .collect();
        let first =
            files.first().ok_or_else(|| BuildError::Missing { what: format!("a file in the overlay {name}") })?;
        let path = folder.join(first);
        let source = fs::read_to_string(&path).map_err(|source| BuildError::file(&path, source))?;
        let line = source.lines().find_map(|line| line.strip_prefix("//! ")).unwrap_or_default();
        let refusal = line.strip_prefix(REFUSED);
        let description = refusal.unwrap_or(line).to_owned();
        found.push(Overlay { name, description, refused: refusal.is_some(), files, folder });
    }
    Ok(found)
}

impl Overlay {
    /// The crates with a file in this overlay, as paths in the tree (`cells/GROUP/CRATE`).
    fn crates(&self) -> BTreeSet<PathBuf> {
        self.files.iter().map(|file| file.iter().take_while(|part| *part != "src").collect()).collect()
    }

    /// A file that stands in no file's place: the tree has none of that path.
    fn stray_file(&self, tree: &Tree) -> Option<&Path> {
        self.files.iter().map(PathBuf::as_path).find(|file| !tree.root.join(file).is_file())
    }

    fn crate_names(&self) -> Vec<String> {
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.crates().iter().map(name).collect()
    }
}

fn entries(path: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        Ok(entries)
    };
    read().map_err(|source| BuildError::file(path, source))
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Compiles the tree with `overlay` and packs the cells whose objects differ from those of `base`, applications included.
/// Returns them, too.
///
/// # Errors
/// As for the base build; [`BuildError::Missing`] if the overlay changes nothing, or has a file that stands in no other's
/// place.
pub fn pack(
    tree: &Tree,
    overlay: &Overlay,
    base: &[Cell],
    packer: &mut CellPacker,
) -> Result<(Alternate, Vec<Cell>), BuildError> {
    if let Some(file) = overlay.stray_file(tree) {
        let what = format!("{}, in whose place the overlay {} puts a file", file.display(), overlay.name);
        return Err(BuildError::Missing { what });
    }
    for krate in overlay.crates() {
        put_together(tree, overlay, &krate)?;
    }
    seed_folder(tree, overlay)?;
    let compiled = compile::compile(tree, Some(&overlay.name))?;
    let all = cells::collect(tree, &compiled)?;
    entry_points::check(tree, &all)?;
    let graph = Graph::new(&all)?;
    let safe = SafeCrates::of(&all)?;
    let unchanged = |cell: &Cell| base.iter().any(|other| other.name() == cell.name() && other.file == cell.file);
    let mut entries = Vec::new();
    for (number, cell) in all.iter().enumerate().filter(|(_, cell)| !unchanged(cell)) {
        entries.push(packer.add_changed(cell, graph.used_by(number, &all), &safe)?);
    }
    if entries.is_empty() {
        return Err(BuildError::Missing { what: format!("a difference that the overlay {} makes", overlay.name) });
    }
    let alternate = Alternate {
        name: overlay.name.clone(),
        description: overlay.description.clone(),
        refused: overlay.refused,
        overlaid: overlay.crate_names().join(" "),
        cells: entries,
    };
    Ok((alternate, all.into_iter().filter(|cell| !unchanged(cell)).collect()))
}

/// Copies the sources of `krate` and the overlay's files over them to where the wrapper looks for them. A file that is
/// the same already is not touched, so that cargo compiles only what has changed.
fn put_together(tree: &Tree, overlay: &Overlay, krate: &Path) -> Result<(), BuildError> {
    let package = tree.root.join(krate);
    let Some((target, _)) = wrapper::overlaid_folder(&tree.root, &overlay.name, &package) else { return Ok(()) };
    let mut wanted = BTreeSet::new();
    for path in files_below(&package.join("src"))? {
        let Ok(inside) = path.strip_prefix(&package) else { continue };
        let replacement = overlay.folder.join(krate).join(inside);
        let source = if replacement.is_file() { replacement } else { path.clone() };
        copy_if_different(&source, &target.join(inside))?;
        wanted.insert(target.join(inside));
    }
    let stale = files_below(&target)?.into_iter().filter(|path| !wanted.contains(path));
    for path in stale {
        fs::remove_file(&path).map_err(|source| BuildError::file(&path, source))?;
    }
    Ok(())
}

fn copy_if_different(source: &Path, target: &Path) -> Result<(), BuildError> {
    let bytes = fs::read(source).map_err(|error| BuildError::file(source, error))?;
    if fs::read(target).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let parent = target.parent().unwrap_or(target);
    fs::create_dir_all(parent).map_err(|error| BuildError::file(parent, error))?;
    fs::write(target, bytes).map_err(|error| BuildError::file(target, error))
}

/// A new alternate starts from a copy of what cargo made for the base, so that only what the overlay changes is compiled.
fn seed_folder(tree: &Tree, overlay: &Overlay) -> Result<(), BuildError> {
    let parent = tree.root.join("target/alternates");
    let folder = parent.join(&overlay.name);
    if folder.exists() {
        return Ok(());
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| BuildError::file(path, source)
    };
    let unfinished = parent.join(format!("{}.unfinished", overlay.name));
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(failed(&unfinished))?;
    }
    fs::create_dir_all(&parent).map_err(failed(&parent))?;
    let status = Command::new("cp")
        .arg("-a")
        .args([&tree.root.join("target/cells"), &unfinished])
        .status()
        .map_err(|source| BuildError::Program { program: "cp".to_owned(), source })?;
    if !status.success() {
        return Err(BuildError::Failed { program: "cp".to_owned(), status, output: String::new() });
    }
    // Cargo would believe that the overlaid crates are up to date: it looks at the files that they were made from.
    let overlaid = overlay.crate_names();
    for record in entries(&unfinished.join("x86_64-mitos/release/.fingerprint"))? {
        let name = record.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.rsplit_once('-').is_some_and(|(krate, _)| overlaid.iter().any(|name| name == krate)) {
            fs::remove_dir_all(&record).map_err(failed(&record))?;
        }
    }
    fs::rename(&unfinished, &folder).map_err(failed(&folder))
}
