//! Functions that another cell calls by their names: no linker compares their types with what the caller has in mind, so the
//! build does, twice.
//!
//! The compiler compares exactly, in a program that hands each function to its caller's `entry_point::Expected`. The
//! structural digests of both types are compared as well, as the loader does it again when the system runs.

use std::{collections::BTreeSet, fmt::Write as _};

use manifest::{CellEntry, Role};

use crate::{BuildError, Tree, cells::Cell, compile, files, libraries, store::Store};

/// The names at the root of a crate by which others call.
pub(crate) const NAMES: [&str; 3] = ["main", "export_state", "import_state"];

/// A function that is called by its name.
#[derive(Clone, Copy, Debug)]
struct Call {
    /// The static of the caller that states the type.
    expected: &'static str,
    /// The cell with the function; `None` stands for every application.
    cell: Option<&'static str>,
    function: &'static str,
}

const CALLS: [Call; 4] = [
    Call { expected: "launcher::MAIN", cell: None, function: "main" },
    Call { expected: "nano_core::MAIN", cell: Some("init"), function: "main" },
    Call { expected: "evolution::EXPORT_STATE", cell: Some("scheduling_policy"), function: "export_state" },
    Call { expected: "evolution::IMPORT_STATE", cell: Some("scheduling_policy"), function: "import_state" },
];

impl Call {
    fn is_in(&self, name: &str, is_application: bool) -> bool {
        self.cell.map_or(is_application, |cell| cell == name)
    }
}

/// The calls among `cells` with a side that `base` has not; both sides of each.
fn calls<'a>(cells: &'a [Cell], base: &[Cell]) -> Vec<(Call, &'a Cell, &'a Cell)> {
    let known: BTreeSet<_> = base.iter().map(|cell| &cell.library.path).collect();
    let mut found = Vec::new();
    for call in CALLS {
        let caller = cells.iter().find(|cell| Some(cell.name()) == call.expected.split("::").next());
        let called = cells.iter().filter(|cell| call.is_in(cell.name(), cell.group == "applications"));
        found.extend(caller.into_iter().flat_map(|caller| called.clone().map(move |called| (call, caller, called))));
    }
    found.retain(|(_, caller, called)| !known.contains(&caller.library.path) || !known.contains(&called.library.path));
    found
}

/// The program that compiles only if the functions have the types that their callers expect.
fn program(calls: &[(Call, &Cell, &Cell)]) -> String {
    let mut text = String::from("#![no_std]\n\npub fn check() {\n");
    for (call, _, called) in calls {
        let _ = writeln!(text, "    ::{}.accepts(::{}::{});", call.expected, called.name(), call.function);
    }
    text + "}\n"
}

/// Lets the compiler compare the types in a build of the whole tree. Where both sides of a call are those of `base`, the base has
/// been checked, and the outcome is kept as long as neither side changes.
///
/// # Errors
/// [`BuildError::EntryPoints`] with the compiler's message, which has both types; files that cannot be written.
pub fn check(tree: &Tree, cells: &[Cell], base: &[Cell], store: &Store) -> Result<(), BuildError> {
    let calls = calls(cells, base);
    let sides: BTreeSet<_> = calls.iter().flat_map(|(_, caller, called)| [caller.digest, called.digest]).collect();
    let sides: Vec<u8> = sides.into_iter().flatten().collect();
    store.value(&archive::digest(&sides), "types", || compile_program(tree, cells, &program(&calls)))
}

fn compile_program(tree: &Tree, cells: &[Cell], program: &str) -> Result<(), BuildError> {
    let folder = tree.root.join("target/entry_points");
    let source = folder.join("entry_points.rs");
    files::write(&source, program)?;
    let mut command = compile::undisturbed(compile::rustc());
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "-Zunstable-options", "--target"])
        .arg(tree.root.join("build/x86_64-mitos.json"))
        .arg("--out-dir")
        .arg(&folder);
    libraries::add(&mut command, cells.iter());
    let output = command
        .arg(&source)
        .output()
        .map_err(|source| BuildError::Program { program: compile::rustc().display().to_string(), source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(BuildError::EntryPoints { output: String::from_utf8_lossy(&output.stderr).into_owned() })
}

/// Compares the digests of the functions in `entries` with those that their callers in `tree` state. The entries are those of
/// the whole tree, or of an alternate build, which has only the cells that differ.
///
/// # Errors
/// [`BuildError::EntryType`] with both types.
pub fn compare(entries: &[CellEntry], tree: &[CellEntry]) -> Result<(), BuildError> {
    let find = |name: &str| {
        let named = |entry: &&CellEntry| entry.name == name;
        entries.iter().find(named).or_else(|| tree.iter().find(named))
    };
    for call in CALLS {
        let caller = call.expected.split("::").next().unwrap_or_default();
        let expected = find(caller).and_then(|entry| entry.expectation(call.expected));
        let expected =
            expected.ok_or_else(|| BuildError::Missing { what: format!("the static `{}`", call.expected) })?;
        for entry in entries.iter().filter(|entry| call.is_in(&entry.name, entry.role == Role::Application)) {
            let path = format!("{}::{}", entry.name, call.function);
            let is_it = |symbol: &str| format!("{:#}", rustc_demangle::demangle(symbol)) == path;
            let found = entry.entry_points.iter().find(|(symbol, _)| is_it(symbol)).map(|(_, signature)| signature);
            if found.is_none_or(|found| found.digest != expected.digest) {
                return Err(BuildError::EntryType {
                    function: path,
                    found: found.map_or_else(|| "no function".to_owned(), |found| found.text.clone()),
                    caller: caller.to_owned(),
                    expected: expected.text.clone(),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use manifest::{Blob, Signature};

    use super::*;

    fn signature(text: &str) -> Signature {
        let mut digest = [0; 16];
        digest[..text.len().min(16)].copy_from_slice(&text.as_bytes()[..text.len().min(16)]);
        Signature { digest, text: text.to_owned() }
    }

    fn cell(name: &str, role: Role, entry_points: &[(&str, &str)], expected: &[(&str, &str)]) -> CellEntry {
        let listed = |list: &[(&str, &str)]| list.iter().map(|(at, of)| ((*at).to_owned(), signature(of))).collect();
        CellEntry {
            name: name.to_owned(),
            version: "0.1".to_owned(),
            group: "tests".to_owned(),
            role,
            object: Blob::default(),
            details: Blob::default(),
            dependencies: Vec::new(),
            forbids_unsafe: true,
            unsafe_blocks: 0,
            isolated_functions: Vec::new(),
            entry: None,
            state_transfer: None,
            entry_points: listed(entry_points),
            expected: listed(expected),
            stack_size: None,
            license: String::new(),
        }
    }

    fn tree(main: &str) -> Vec<CellEntry> {
        vec![
            cell("launcher", Role::Kernel, &[], &[("launcher::MAIN", "fn(&u8)")]),
            cell("nano_core", Role::Seed, &[], &[("nano_core::MAIN", "fn() -> !")]),
            cell("evolution", Role::Kernel, &[], &[("evolution::EXPORT_STATE", "s"), ("evolution::IMPORT_STATE", "a")]),
            cell("echo", Role::Application, &[("_RNvC4echo4main", main)], &[]),
        ]
    }

    #[test]
    fn an_application_of_the_expected_type_is_accepted() {
        let tree = tree("fn(&u8)");
        assert!(compare(&tree, &tree).is_ok());
    }

    #[test]
    fn an_application_of_another_type_is_refused_with_both_types() {
        let tree = tree("fn(u64)");
        let message = compare(&tree, &tree).unwrap_err().to_string();
        assert!(message.contains("echo::main") && message.contains("`fn(u64)`") && message.contains("`fn(&u8)`"));
        assert!(message.contains("launcher"), "{message}");
    }

    #[test]
    fn an_application_whose_main_is_no_function_is_refused() {
        let mut tree = tree("fn(&u8)");
        tree[3].entry_points.clear();
        assert!(matches!(compare(&tree, &tree), Err(BuildError::EntryType { found, .. }) if found == "no function"));
    }

    #[test]
    fn a_cell_of_an_alternate_is_compared_with_the_callers_of_the_tree() {
        let base = tree("fn(&u8)");
        let altered = [cell("echo", Role::Application, &[("_RNvC4echo4main", "fn(u64)")], &[])];
        assert!(matches!(compare(&altered, &base), Err(BuildError::EntryType { .. })));
        assert!(compare(&base[3..], &base).is_ok());
    }

    #[test]
    fn a_caller_that_states_no_type_is_noticed() {
        let tree = tree("fn(&u8)");
        assert!(matches!(compare(&tree, &tree[3..]), Ok(())));
        assert!(matches!(compare(&tree[3..], &tree[3..]), Err(BuildError::Missing { .. })));
    }
}
