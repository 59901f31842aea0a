//! `target/report/reach.json`: which public functions each application of the product can reach.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use build::cells::Cell;
use build::{Build, Tree, applications, compile, libraries};
use reach::{Documentation, Functions, Library};
use serde::Serialize;

use crate::failure::{Failure, check};
use crate::report;

/// Groups of cells that are not ours.
const FOREIGN: [&str; 2] = ["rust", "packages"];

/// A function in the report.
#[derive(Serialize)]
struct Row<'a> {
    function: &'a str,
    cell: &'a str,
    safe: bool,
}

impl<'a> Row<'a> {
    fn new((function, safe): (&'a String, &'a bool)) -> Self {
        let cell = function.split("::").next().unwrap_or_default();
        Self { function, cell, safe: *safe }
    }
}

/// Finds out what the applications can reach and writes the report.
pub(crate) fn write(tree: &Tree, built: &Build) -> Result<(), Failure> {
    let folder = tree.root.join("target/reach");
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let mut starts = BTreeMap::new();
    for cell in built.cells.iter().filter(|cell| cell.group == applications::GROUP && !cell.only_tests) {
        starts.insert(cell.name().to_owned(), applications::used_by(cell)?);
    }
    let mut library = Library::new();
    let mut missing: BTreeSet<String> = starts.values().flatten().cloned().collect();
    let applications: BTreeMap<String, Functions> = loop {
        let wanted: Vec<&Cell> = built
            .cells
            .iter()
            .filter(|cell| missing.contains(cell.name()) && !FOREIGN.contains(&cell.group.as_str()))
            .collect();
        if wanted.is_empty() {
            break starts
                .iter()
                .map(|(name, uses)| (name.clone(), reach::reachable(&library, uses).functions))
                .collect();
        }
        library.extend(document(tree, built, &wanted, &folder)?);
        let reached = starts.values().flat_map(|uses| reach::reachable(&library, uses).missing);
        missing = reached.filter(|name| !library.contains_key(name)).collect();
    };
    let listed: BTreeMap<&String, Vec<Row<'_>>> =
        applications.iter().map(|(name, functions)| (name, functions.iter().map(Row::new).collect())).collect();
    report::write(tree, "reach.json", &listed)?;
    Ok(())
}

/// What rustdoc says of `cells`, two at a time.
fn document(tree: &Tree, built: &Build, cells: &[&Cell], folder: &Path) -> Result<Library, Failure> {
    let queue = Mutex::new(cells.iter());
    let work = || {
        let mut found = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
            let Some(cell) = next else { return Ok(found) };
            found.push((cell.name().to_owned(), documentation(tree, built, cell, folder)?));
        }
    };
    let results: Vec<Result<Vec<_>, Failure>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        let ended = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(ended).collect()
    });
    let mut library = Library::new();
    for result in results {
        library.extend(result?);
    }
    Ok(library)
}

/// What rustdoc says of one cell. Kept until the cell is compiled anew.
fn documentation(tree: &Tree, built: &Build, cell: &Cell, folder: &Path) -> Result<Documentation, Failure> {
    let path = folder.join(cell.name()).with_extension("json");
    if !is_newer(&path, &cell.library.path) {
        let mut command = Command::new(compile::rustc().with_file_name("rustdoc"));
        command.current_dir(&tree.root).env("RUSTC_BOOTSTRAP", "1");
        command.args(["--edition=2024", "--output-format=json", "--cap-lints=allow", "-Zunstable-options", "--target"]);
        command.arg(tree.root.join("build/x86_64-mitos.json")).arg("--out-dir").arg(folder);
        command.args(["--crate-name", cell.name()]);
        // Cargo tells a crate these.
        command.env("CARGO_PKG_NAME", cell.name()).env("CARGO_PKG_VERSION", &cell.library.version);
        command.env("CARGO_MANIFEST_DIR", cell.library.manifest.parent().unwrap_or(&tree.root));
        libraries::add(&mut command, built.cells.iter().filter(|other| other.name() != cell.name()));
        check(command.arg(&cell.library.source))?;
    }
    let text = fs::read_to_string(&path).map_err(Failure::file(&path))?;
    Documentation::parse(&text).map_err(|source| Failure::Reach { cell: cell.name().to_owned(), source })
}

fn is_newer(made: &Path, from: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    matches!((modified(made), modified(from)), (Some(made), Some(from)) if made > from)
}
