//! Writes the manifest and the archive of cells.

use std::fs;

use archive::Packer;
use manifest::{CellDetails, CellEntry, Digest, Manifest, Role};

use crate::{
    BuildError, Tree,
    cells::{self, Cell, Graph},
    compile::Compiled,
    seed::Seed,
};

/// The function that takes over when all cells are loaded, and its cell.
const ENTRY: (&str, &str) = ("init", "init::main");

/// What was packed.
#[derive(Debug)]
pub struct Packed {
    /// The manifest in the archive.
    pub manifest: Manifest,
    /// Its digest: the identity of the build.
    pub build: Digest,
}

/// Packs all cells.
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
    let mut packer = Packer::new();
    let mut entries = Vec::new();
    for (number, cell) in cells.iter().enumerate() {
        let role = if seed.members.binary_search(&number).is_ok() {
            Role::Seed
        } else if cell.group == "applications" {
            Role::Application
        } else {
            Role::Kernel
        };
        let dependencies = graph.uses[number].iter().map(|&used| cells[used].name().to_owned()).collect();
        entries.push(entry(&mut packer, cell, role, dependencies)?);
    }
    let init = cells
        .iter()
        .find(|cell| cell.name() == ENTRY.0)
        .ok_or_else(|| BuildError::Missing { what: format!("the cell {}", ENTRY.0) })?;
    let manifest = Manifest {
        compiler: compiled.compiler.clone(),
        entry: cells::mangled(init, ENTRY.1)?,
        cells: entries,
        alternates: Vec::new(),
    };
    let (bytes, build) = packer.finish(&manifest)?;
    let path = tree.archive();
    fs::create_dir_all(tree.output()).map_err(|source| BuildError::file(tree.output(), source))?;
    fs::write(&path, bytes).map_err(|source| BuildError::file(&path, source))?;
    Ok(Packed { manifest, build })
}

fn entry(
    packer: &mut Packer,
    cell: &Cell,
    role: Role,
    dependencies: Vec<String>,
) -> Result<CellEntry, BuildError> {
    let details = postcard::to_stdvec(&CellDetails::default()).map_err(BuildError::Map)?;
    Ok(CellEntry {
        name: cell.name().to_owned(),
        version: cells::identity(cell),
        group: cell.group.clone(),
        role,
        object: packer.add(&cell.file)?,
        details: packer.add(&details)?,
        dependencies,
        forbids_unsafe: false,
        unsafe_blocks: 0,
        entry: match role {
            Role::Application => Some(cells::mangled(cell, &format!("{}::main", cell.name()))?),
            Role::Seed | Role::Kernel => None,
        },
        license: String::new(),
    })
}
