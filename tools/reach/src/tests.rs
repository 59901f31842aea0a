//! Small crates, as rustdoc describes them.

use serde_json::{Value, json};

use super::*;

/// The documentation of a crate from its items; `elsewhere` has the paths of items in other crates.
fn documentation(name: &str, items: &[(u64, Option<&str>, Value)], elsewhere: &[(u64, &[&str])]) -> Documentation {
    let index: BTreeMap<String, Value> = items
        .iter()
        .map(|(id, name, inner)| {
            (id.to_string(), json!({ "id": id, "name": name, "visibility": "public", "inner": inner }))
        })
        .collect();
    let mut paths: BTreeMap<String, Value> =
        items.iter().filter_map(|(id, item, _)| Some((id.to_string(), json!({ "path": [name, (*item)?] })))).collect();
    paths.extend(elsewhere.iter().map(|(id, path)| (id.to_string(), json!({ "path": path }))));
    let text = json!({ "format_version": documentation::FORMAT, "root": 0, "index": index, "paths": paths });
    Documentation::parse(&text.to_string()).unwrap()
}

fn module(items: &[u64]) -> Value {
    json!({ "module": { "items": items } })
}

/// A function with these first parameter and result.
fn function(is_unsafe: bool, first: &str, result: Option<u64>) -> Value {
    let output = result.map(|id| json!({ "resolved_path": { "path": "T", "id": id, "args": null } }));
    json!({ "function": {
        "sig": { "inputs": [[first, { "primitive": "u8" }]], "output": output },
        "header": { "is_unsafe": is_unsafe },
    } })
}

fn of_type(implementations: &[u64]) -> Value {
    json!({ "struct": { "kind": { "plain": { "fields": [] } }, "impls": implementations } })
}

fn implementation(items: &[u64], of_trait: bool) -> Value {
    json!({ "impl": { "items": items, "trait": of_trait.then_some(json!({ "path": "Drop", "id": 99 })) } })
}

/// A cell `maker` with a function `make` that gives a value of the type `T` of the cell `types`; `types` itself has no dependents here.
fn library() -> Library {
    let maker = documentation(
        "maker",
        &[
            (0, Some("maker"), module(&[1, 2])),
            (1, Some("make"), function(false, "n", Some(7))),
            (2, Some("force"), function(true, "n", None)),
        ],
        &[(7, &["types", "T"])],
    );
    let types = documentation(
        "types",
        &[
            (0, Some("types"), module(&[1, 5])),
            (1, Some("T"), of_type(&[2, 6])),
            (2, None, implementation(&[3, 4], false)),
            (3, Some("new"), function(false, "n", None)),
            (4, Some("change"), function(false, "self", None)),
            (5, Some("free"), function(false, "n", None)),
            (6, None, implementation(&[8], true)),
            (8, Some("drop"), function(false, "self", None)),
        ],
        &[],
    );
    Library::from([("maker".to_owned(), maker), ("types".to_owned(), types)])
}

fn reached(dependency: &str) -> Vec<(String, bool)> {
    let reached = reachable(&library(), &BTreeSet::from([dependency.to_owned()]));
    assert!(reached.missing.is_empty(), "{:?}", reached.missing);
    reached.functions.into_iter().collect()
}

fn listed(functions: &[(&str, bool)]) -> Vec<(String, bool)> {
    functions.iter().map(|(name, is_safe)| ((*name).to_owned(), *is_safe)).collect()
}

#[test]
fn a_value_is_reachable_with_its_methods_and_without_its_constructors() {
    assert_eq!(reached("maker"), listed(&[("maker::force", false), ("maker::make", true), ("types::T::change", true)]));
}

#[test]
fn a_name_is_reachable_with_everything() {
    assert_eq!(reached("types"), listed(&[("types::T::change", true), ("types::T::new", true), ("types::free", true)]));
}

#[test]
fn a_reexport_gives_the_name() {
    let mut library = library();
    let front = documentation(
        "front",
        &[(0, Some("front"), module(&[1])), (1, None, json!({ "use": { "name": "T", "id": 7, "is_glob": false } }))],
        &[(7, &["types", "T"])],
    );
    library.insert("front".to_owned(), front);
    let functions = reachable(&library, &BTreeSet::from(["front".to_owned()])).functions;
    assert_eq!(
        functions.into_iter().collect::<Vec<_>>(),
        listed(&[("types::T::change", true), ("types::T::new", true)])
    );
}

#[test]
fn a_crate_that_is_not_there_is_told() {
    let mut library = library();
    library.remove("types");
    let reached = reachable(&library, &BTreeSet::from(["maker".to_owned(), "none".to_owned()]));
    assert_eq!(reached.missing.into_iter().collect::<Vec<_>>(), ["none", "types"]);
}

#[test]
fn another_format_is_refused() {
    let text = json!({ "format_version": 1, "root": 0, "index": {}, "paths": {} });
    assert!(matches!(Documentation::parse(&text.to_string()), Err(ReachError::Version { found: 1 })));
}
