//! From libraries to cells.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use goblin::archive::Archive;
use layout::Layout;
use object::{Binding, Object};

use crate::{BuildError, applications, compile::Library, describe, files, store::Store, wrapper};

/// A crate as the loader will see it.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The library it comes from.
    pub library: Library,
    /// Folder under `cells/`, or `kernel`, `applications`, `tests`, `rust`, `packages`.
    pub group: String,
    /// It is under `tests/`: the product is packed without it.
    pub only_tests: bool,
    /// The object with its debug information, for digests and symbolic debugging.
    pub full_object: PathBuf,
    /// The object as it is packed.
    pub file: Arc<[u8]>,
    /// The digest of the library.
    pub digest: manifest::Digest,
    /// What its sources say about `unsafe`.
    pub survey: sources::Survey,
}

impl Cell {
    /// Name of the crate and of the cell.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.library.name
    }

    /// The checked object.
    ///
    /// # Errors
    /// If the compiler made an object that cells may not be.
    pub fn object(&self) -> Result<Object<'_>, BuildError> {
        Object::parse(&self.file).map_err(|source| BuildError::Object { cell: self.library.name.clone(), source })
    }
}

/// Takes the one object out of each library and strips it of debug information. A library that is one of `known` is not looked
/// at again.
///
/// # Errors
/// A library without exactly one object, two crates of one name, files that cannot be read or written.
pub fn collect(libraries: &[Library], store: &Store, known: &[Cell]) -> Result<Vec<Cell>, BuildError> {
    let known: HashMap<&Path, &Cell> = known.iter().map(|cell| (cell.library.path.as_path(), cell)).collect();
    let mut cells = BTreeMap::new();
    for library in libraries {
        let cell = known.get(library.path.as_path()).map_or_else(|| cell(library, store), |&cell| Ok(cell.clone()))?;
        if cells.insert(library.name.clone(), cell).is_some() {
            return Err(BuildError::SameName { name: library.name.clone() });
        }
    }
    Ok(cells.into_values().collect())
}

fn group(library: &Library) -> String {
    let mut parts = match library.manifest.strip_prefix(&library.tree) {
        Ok(path) => path.iter().map(|part| part.to_string_lossy().into_owned()),
        Err(_) if library.manifest.iter().any(|part| part == "rustlib" || part == "library") => {
            return "rust".to_owned();
        }
        Err(_) => return "packages".to_owned(),
    };
    match (parts.next().as_deref(), parts.next()) {
        (Some("cells"), Some(group)) => group,
        (Some("tests"), Some(folder)) if folder == "cells" => "tests".to_owned(),
        (Some("tests"), _) => applications::GROUP.to_owned(),
        (Some(top), _) => top.to_owned(),
        (None, _) => "packages".to_owned(),
    }
}

/// The cell in `library`: its object with debug information in a file, without it as bytes.
fn cell(library: &Library, store: &Store) -> Result<Cell, BuildError> {
    let bytes = files::read(&library.path)?;
    let digest = archive::digest(&bytes);
    let full_object = store.file(&digest, "full.o", |path| files::write(path, only_object(library, &bytes)?))?;
    let stripped = store.file(&digest, "cell.o", |path| strip(&full_object, path))?;
    let survey = store.value(&digest, "unsafe", || describe::survey(library))?;
    let survey = sources::Survey { forbids_unsafe: survey.0, unsafe_places: survey.1 };
    let file = files::read(&stripped)?.into();
    let only_tests = library.manifest.starts_with(library.tree.join("tests"));
    Ok(Cell { group: group(library), only_tests, library: library.clone(), full_object, file, digest, survey })
}

fn only_object<'a>(library: &Library, bytes: &'a [u8]) -> Result<&'a [u8], BuildError> {
    let failed = |source| BuildError::Library { path: library.path.clone(), source };
    let archive = Archive::parse(bytes).map_err(failed)?;
    let members: Vec<&str> = archive.members().into_iter().filter(|name| name.ends_with(".o")).collect();
    match members[..] {
        [name] => archive.extract(name, bytes).map_err(failed),
        _ => Err(BuildError::Objects { krate: library.name.clone(), count: members.len() }),
    }
}

fn strip(full: &Path, stripped: &Path) -> Result<(), BuildError> {
    let output = Command::new("objcopy")
        .args([
            "--strip-debug",
            "--remove-section=.comment",
            "--remove-section=.note.*",
            "--remove-section=.llvm_addrsig",
        ])
        .args([full, stripped])
        .output()
        .map_err(|source| BuildError::Program { program: "objcopy (package binutils)".to_owned(), source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(BuildError::Failed {
        program: "objcopy".to_owned(),
        status: output.status,
        output: format!(": {}", String::from_utf8_lossy(&output.stderr)),
    })
}

/// Which cell uses the symbols of which other cell.
#[derive(Debug)]
pub struct Graph {
    /// For each cell, by its place in the list: the cells that define symbols it uses.
    pub uses: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// Finds the definition of every symbol that a cell wants.
    ///
    /// # Errors
    /// Two strong definitions of one name, or a name that no cell defines.
    pub fn new(cells: &[Cell]) -> Result<Self, BuildError> {
        let objects = cells.iter().map(Cell::object).collect::<Result<Vec<_>, _>>()?;
        let mut definer: HashMap<&str, (usize, bool)> = HashMap::new();
        for (number, object) in objects.iter().enumerate() {
            for symbol in object.symbols.iter().filter(|symbol| symbol.definition.is_some()) {
                let strong = match symbol.binding {
                    Binding::Local => continue,
                    Binding::Global => true,
                    Binding::Weak => false,
                };
                match definer.get(symbol.name) {
                    Some(&(first, true)) if strong => {
                        return Err(BuildError::Duplicate {
                            first: cells[first].name().to_owned(),
                            second: cells[number].name().to_owned(),
                            symbol: symbol.name.to_owned(),
                        });
                    }
                    Some(_) if !strong => {}
                    _ => {
                        definer.insert(symbol.name, (number, strong));
                    }
                }
            }
        }
        let mut uses = vec![BTreeSet::new(); cells.len()];
        for (number, object) in objects.iter().enumerate() {
            for symbol in object.symbols.iter().filter(|symbol| symbol.definition.is_none() && !symbol.name.is_empty())
            {
                if symbol.binding == Binding::Local {
                    continue;
                }
                let Some(&(from, _)) = definer.get(symbol.name) else {
                    return Err(BuildError::Missing {
                        what: format!(
                            "`{}`, which {} uses",
                            rustc_demangle::demangle(symbol.name),
                            cells[number].name()
                        ),
                    });
                };
                if from != number {
                    uses[number].insert(from);
                }
            }
        }
        Ok(Self { uses })
    }

    /// Names of the cells that the cell with this number uses, itself one of `cells`, from which this was made.
    #[must_use]
    pub fn used_by(&self, number: usize, cells: &[Cell]) -> Vec<String> {
        self.uses[number].iter().map(|&used| cells[used].name().to_owned()).collect()
    }

    /// `start` and all that it uses, directly or not.
    #[must_use]
    pub fn closure(&self, start: usize) -> BTreeSet<usize> {
        let mut closure = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(cell) = open.pop() {
            for &used in &self.uses[cell] {
                if closure.insert(used) {
                    open.push(used);
                }
            }
        }
        closure
    }
}

/// The mangled name of the function `name` at the root of the cell's crate, if it has one.
///
/// # Errors
/// An object that cells may not be.
pub fn find(cell: &Cell, name: &str) -> Result<Option<String>, BuildError> {
    let object = cell.object()?;
    let path = format!("{}::{name}", cell.name());
    let found = object.symbols.iter().find(|symbol| {
        let defined = symbol.definition.is_some() && symbol.binding == Binding::Global;
        defined && symbol.name.ends_with(name) && format!("{:#}", rustc_demangle::demangle(symbol.name)) == path
    });
    Ok(found.map(|symbol| symbol.name.to_owned()))
}

/// As [`find`], for a function that must be there.
///
/// # Errors
/// [`BuildError::Missing`] if the cell has no such function.
pub fn mangled(cell: &Cell, name: &str) -> Result<String, BuildError> {
    find(cell, name)?.ok_or_else(|| BuildError::Missing { what: format!("`{}::{name}`", cell.name()) })
}

/// The layout of each cell's sections.
///
/// # Errors
/// An object that cells may not be.
pub fn layouts(cells: &[Cell]) -> Result<Vec<Layout>, BuildError> {
    cells.iter().map(|cell| cell.object().map(|object| Layout::new(&object))).collect()
}

/// The part of the cell's version that is its identity.
#[must_use]
pub fn identity(cell: &Cell) -> String {
    wrapper::identity(&cell.library.version)
}
