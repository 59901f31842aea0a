//! `target/report/reach.json`: which public functions each application of the product can reach, and the list of those that
//! change anything (`build/levers.toml`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use build::cells::Cell;
use build::{Build, Tree, applications, compile, libraries};
use reach::{Documentation, Functions, Library};
use serde::{Deserialize, Serialize};

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

/// `build/levers.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Levers {
    /// Functions that change something which their caller does not own, each with what that is.
    levers: BTreeMap<String, String>,
    /// All other functions, by cell.
    harmless: BTreeMap<String, BTreeSet<String>>,
}

/// What the applications of a build can reach.
pub(crate) struct Reach {
    applications: BTreeMap<String, Functions>,
}

impl Reach {
    /// All safe functions that some application can reach.
    pub(crate) fn safe(&self) -> BTreeSet<&str> {
        let functions = self.applications.values().flatten();
        functions.filter(|(_, is_safe)| **is_safe).map(|(function, _)| function.as_str()).collect()
    }

    /// Compares with `build/levers.toml`: each safe function stands there once, and no other does.
    pub(crate) fn compare(&self, tree: &Tree) -> Result<(), Failure> {
        let path = tree.root.join("build/levers.toml");
        let text = fs::read_to_string(&path).map_err(Failure::file(&path))?;
        let levers: Levers =
            toml::from_str(&text).map_err(|source| Failure::Levers { complaints: format!("\n  {source}") })?;
        let complaints = complaints(&levers, &self.safe());
        if complaints.is_empty() { Ok(()) } else { Err(Failure::Levers { complaints }) }
    }
}

fn complaints(levers: &Levers, reachable: &BTreeSet<&str>) -> String {
    let harmless: BTreeSet<String> = levers
        .harmless
        .iter()
        .flat_map(|(cell, functions)| functions.iter().map(move |function| format!("{cell}::{function}")))
        .collect();
    let mut text = String::new();
    for function in reachable {
        match (levers.levers.get(*function), harmless.contains(*function)) {
            (Some(reason), false) if !reason.is_empty() => {}
            (None, true) => {}
            (Some(_), false) => drop(write!(text, "\n  {function} has no reason")),
            (Some(_), true) => drop(write!(text, "\n  {function} is listed twice")),
            (None, false) => drop(write!(text, "\n  {function} is not listed")),
        }
    }
    let listed = levers.levers.keys().chain(&harmless);
    for function in listed.filter(|function| !reachable.contains(function.as_str())) {
        let _ = write!(text, "\n  {function} is listed, and no application reaches it");
    }
    text
}

/// Finds out what the applications can reach and writes the report.
pub(crate) fn write(tree: &Tree, built: &Build) -> Result<Reach, Failure> {
    let folder = tree.root.join("target/reach");
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let mut starts = BTreeMap::new();
    for cell in built.cells.iter().filter(|cell| cell.group == applications::GROUP && !cell.only_tests) {
        starts.insert(cell.name().to_owned(), applications::used_by(cell)?);
    }
    let mut library = Library::new();
    let mut missing: BTreeSet<String> = starts.values().flatten().cloned().collect();
    let applications = loop {
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
    let reach = Reach { applications };
    let listed: BTreeMap<&String, Vec<Row<'_>>> =
        reach.applications.iter().map(|(name, functions)| (name, functions.iter().map(Row::new).collect())).collect();
    report::write(tree, "reach.json", &listed)?;
    Ok(reach)
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

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "[levers]\n\"a::set\" = \"sets it\"\n[harmless]\na = [\"get\", \"T::look\"]\n";

    fn complain(listed: &str, reachable: &[&str]) -> String {
        complaints(&toml::from_str(listed).unwrap(), &reachable.iter().copied().collect())
    }

    #[test]
    fn a_list_that_is_complete_is_accepted() {
        assert_eq!(complain(LISTED, &["a::set", "a::get", "a::T::look"]), "");
    }

    #[test]
    fn what_is_new_and_what_is_gone_are_told() {
        assert!(complain(LISTED, &["a::set", "a::get", "a::T::look", "b::new"]).contains("b::new is not listed"));
        assert!(complain(LISTED, &["a::set", "a::get"]).contains("a::T::look is listed, and no"));
    }

    #[test]
    fn a_lever_needs_a_reason_and_one_place() {
        assert!(complain("[levers]\n\"a::set\" = \"\"\n[harmless]\n", &["a::set"]).contains("has no reason"));
        let twice = "[levers]\n\"a::set\" = \"sets it\"\n[harmless]\na = [\"set\"]\n";
        assert!(complain(twice, &["a::set"]).contains("listed twice"));
    }
}
