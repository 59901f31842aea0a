//! Writes the manifest and the archive of cells.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

use archive::Packer;
use manifest::{CellEntry, Digest, Manifest, Role, Signature};

use crate::{
    BuildError, Tree, alternates,
    cells::{self, Cell, Graph},
    compile::Compiled,
    describe, entry_points,
    isolated_functions::SafeCrates,
    seed::Seed,
};

/// The function that takes over when all cells are loaded, and its cell.
const ENTRY: (&str, &str) = ("init", "main");

/// Set to leave the alternate builds out.
const BASE_ONLY: &str = "MITOS_BASE_ONLY";

/// What was packed.
#[derive(Debug)]
pub struct Packed {
    /// The manifest in the archive.
    pub manifest: Manifest,
    /// Its digest: the identity of the build.
    pub build: Digest,
    /// The cells of all alternates.
    pub changed: Vec<Cell>,
}

/// Packs cells and remembers their roles.
#[derive(Debug, Default)]
pub struct CellPacker {
    packer: Packer,
    roles: HashMap<String, Role>,
}

impl CellPacker {
    fn add(
        &mut self,
        cell: &Cell,
        role: Role,
        dependencies: Vec<String>,
        safe: &SafeCrates<'_>,
    ) -> Result<CellEntry, BuildError> {
        let digests = describe::digests(cell)?;
        let entry_points = entry_points(cell, &digests.entry_points.functions)?;
        let expected = digests.entry_points.expected.clone().into_iter().collect();
        let isolated_functions = safe.isolated_functions(cell, &digests.isolated)?;
        let details = postcard::to_stdvec(&digests.into_details()).map_err(BuildError::Map)?;
        let survey = describe::survey(cell)?;
        self.roles.insert(cell.name().to_owned(), role);
        Ok(CellEntry {
            name: cell.name().to_owned(),
            version: cells::identity(cell),
            group: cell.group.clone(),
            role,
            object: self.packer.add(&cell.file)?,
            details: self.packer.add(&details)?,
            dependencies,
            forbids_unsafe: survey.forbids_unsafe,
            unsafe_blocks: survey.unsafe_places,
            isolated_functions,
            entry: match role {
                Role::Application => Some(cells::mangled(cell, "main")?),
                Role::Seed | Role::Kernel => None,
            },
            state_transfer: cells::find(cell, "export_state")?.zip(cells::find(cell, "import_state")?),
            entry_points,
            expected,
            license: describe::license(&cell.library.manifest)?,
        })
    }

    /// Packs a cell of an alternate build, which has the role of the one it can replace.
    ///
    /// # Errors
    /// As for any cell; [`BuildError::Missing`] if the base has no such cell.
    pub fn add_changed(
        &mut self,
        cell: &Cell,
        dependencies: Vec<String>,
        safe: &SafeCrates<'_>,
    ) -> Result<CellEntry, BuildError> {
        let missing = || BuildError::Missing { what: format!("the cell {} in the base build", cell.name()) };
        let role = self.roles.get(cell.name()).copied().ok_or_else(missing)?;
        self.add(cell, role, dependencies, safe)
    }
}

/// The types of those functions of `cell` that others call by their names, among `functions`, which are all at its root.
fn entry_points(cell: &Cell, functions: &BTreeMap<String, Signature>) -> Result<Vec<(String, Signature)>, BuildError> {
    let mut found = Vec::new();
    for name in entry_points::NAMES {
        let symbol = cells::find(cell, name)?;
        found.extend(
            symbol
                .and_then(|symbol| functions.get_key_value(&symbol))
                .map(|(symbol, signature)| (symbol.clone(), signature.clone())),
        );
    }
    Ok(found)
}

/// Packs all cells and all alternates.
///
/// # Errors
/// An application without `main`, no cell `init`, files that cannot be written.
pub fn write(
    tree: &Tree,
    compiled: &Compiled,
    cells: &[Cell],
    graph: &Graph,
    seed: &Seed,
) -> Result<Packed, BuildError> {
    let mut packer = CellPacker::default();
    let mut entries = Vec::new();
    let safe = SafeCrates::of(cells)?;
    for (number, cell) in cells.iter().enumerate() {
        let role = if seed.members.binary_search(&number).is_ok() {
            Role::Seed
        } else if cell.group == "applications" {
            Role::Application
        } else {
            Role::Kernel
        };
        entries.push(packer.add(cell, role, graph.used_by(number, cells), &safe)?);
    }
    entry_points::compare(&entries, &entries)?;
    let init = cells
        .iter()
        .find(|cell| cell.name() == ENTRY.0)
        .ok_or_else(|| BuildError::Missing { what: format!("the cell {}", ENTRY.0) })?;
    // Whoever works on one cell and boots it again and again can do without the other builds.
    let overlays = if std::env::var_os(BASE_ONLY).is_some() { Vec::new() } else { alternates::find(tree)? };
    let (mut alternates, mut changed) = (Vec::new(), Vec::new());
    for overlay in &overlays {
        let (alternate, cells) = alternates::pack(tree, overlay, cells, &mut packer)?;
        entry_points::compare(&alternate.cells, &entries)?;
        alternates.push(alternate);
        changed.extend(cells);
    }
    let manifest = Manifest {
        compiler: compiled.compiler.clone(),
        entry: cells::mangled(init, ENTRY.1)?,
        cells: entries,
        alternates,
    };
    let (bytes, build) = packer.packer.finish(&manifest)?;
    let path = tree.archive();
    fs::create_dir_all(tree.output()).map_err(|source| BuildError::file(tree.output(), source))?;
    fs::write(&path, bytes).map_err(|source| BuildError::file(&path, source))?;
    Ok(Packed { manifest, build, changed })
}
