//! Makes the manifest and the archive of cells: one of the product, and one of tests, which has more cells.

use std::collections::{BTreeMap, HashMap, HashSet};

use archive::Packer;
use manifest::{Alternate, CellEntry, Digest, Manifest, Role, Signature};

use crate::{
    BuildError,
    alternates::Built,
    applications,
    cells::{self, Cell, Graph},
    compile::Compiled,
    describe, entry_points,
    isolated_functions::SafeCrates,
    seed::Seed,
};

/// The function that takes over when all cells are loaded, and its cell.
const ENTRY: (&str, &str) = ("init", "main");

/// What was packed.
#[derive(Debug)]
pub struct Packed {
    /// The manifest in the archive of tests, which has all cells.
    pub manifest: Manifest,
    /// The archive of the product.
    pub product: Archive,
    /// The archive of tests.
    pub tests: Archive,
}

/// An archive of cells.
#[derive(Debug)]
pub struct Archive {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The digest of its manifest: the identity of the build.
    pub build: Digest,
}

impl Archive {
    fn new(packer: Packer, manifest: &Manifest) -> Result<Self, BuildError> {
        let (bytes, build) = packer.finish(manifest)?;
        Ok(Self { bytes, build })
    }
}

/// Packs cells and remembers their roles.
#[derive(Debug, Default)]
struct CellPacker {
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
        self.roles.insert(cell.name().to_owned(), role);
        Ok(CellEntry {
            name: cell.name().to_owned(),
            version: cells::identity(cell),
            group: cell.group.clone(),
            role,
            object: self.packer.add(&cell.file)?,
            details: self.packer.add(&details)?,
            dependencies,
            forbids_unsafe: cell.survey.forbids_unsafe,
            unsafe_blocks: cell.survey.unsafe_places,
            isolated_functions,
            entry: match role {
                Role::Application => Some(cells::mangled(cell, "main")?),
                Role::Seed | Role::Kernel => None,
            },
            state_transfer: cells::find(cell, "export_state")?.zip(cells::find(cell, "import_state")?),
            entry_points,
            expected,
            stack_size: match role {
                Role::Application => describe::stack_size(&cell.library.manifest)?,
                Role::Seed | Role::Kernel => None,
            },
            license: describe::license(&cell.library.manifest)?,
        })
    }

    /// Packs the cells of an alternate that differ from those of `base`. Each has the role of the one that it can replace.
    fn add_alternate(&mut self, built: &Built, base: &[Cell]) -> Result<Alternate, BuildError> {
        let graph = Graph::new(&built.cells)?;
        let safe = SafeCrates::of(&built.cells);
        let mut cells = Vec::new();
        for (number, cell) in built.changed(base) {
            let missing = || BuildError::Missing { what: format!("the cell {} in the base", cell.name()) };
            let role = self.roles.get(cell.name()).copied().ok_or_else(missing)?;
            cells.push(self.add(cell, role, graph.used_by(number, &built.cells), &safe)?);
        }
        Ok(Alternate {
            name: built.alternate.name.clone(),
            description: built.alternate.description.clone(),
            refused: built.alternate.refused,
            edited: built.edited.join(" "),
            cells,
        })
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
/// An application without `main`, no cell `init`, objects that cells may not be.
pub fn pack(
    compiled: &Compiled,
    cells: &[Cell],
    graph: &Graph,
    seed: &Seed,
    alternates: &[Built],
) -> Result<Packed, BuildError> {
    let mut packer = CellPacker::default();
    let mut entries = Vec::new();
    let safe = SafeCrates::of(cells);
    for (number, cell) in cells.iter().enumerate() {
        let role = if seed.members.binary_search(&number).is_ok() {
            Role::Seed
        } else if cell.group == applications::GROUP {
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
    let alternates =
        alternates.iter().map(|built| packer.add_alternate(built, cells)).collect::<Result<Vec<_>, _>>()?;
    for alternate in &alternates {
        entry_points::compare(&alternate.cells, &entries)?;
    }
    let manifest = Manifest {
        compiler: compiled.compiler.clone(),
        entry: cells::mangled(init, ENTRY.1)?,
        cells: entries,
        alternates,
    };
    let only_tests: HashSet<&str> = cells.iter().filter(|cell| cell.only_tests).map(Cell::name).collect();
    let product = product(&packer.packer, &manifest, &only_tests)?;
    let tests = Archive::new(packer.packer, &manifest)?;
    Ok(Packed { manifest, product, tests })
}

/// The archive of the product: the blobs of `packer` and the entries of `all`, without the cells `only_tests`.
fn product(packer: &Packer, all: &Manifest, only_tests: &HashSet<&str>) -> Result<Archive, BuildError> {
    let mut product = Packer::new();
    let mut without_tests = |cells: &[CellEntry]| -> Result<Vec<CellEntry>, BuildError> {
        let kept = cells.iter().filter(|cell| !only_tests.contains(&*cell.name));
        kept.map(|cell| {
            let object = product.copy(packer, &cell.object)?;
            let details = product.copy(packer, &cell.details)?;
            Ok(CellEntry { object, details, ..cell.clone() })
        })
        .collect()
    };
    let cells = without_tests(&all.cells)?;
    let mut alternates = Vec::new();
    for alternate in &all.alternates {
        alternates.push(Alternate { cells: without_tests(&alternate.cells)?, ..alternate.clone() });
    }
    let manifest = Manifest { compiler: all.compiler.clone(), entry: all.entry.clone(), cells, alternates };
    Archive::new(product, &manifest)
}
