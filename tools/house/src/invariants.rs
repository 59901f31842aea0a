//! The page of invariants, and whether the checks that it names exist.
//!
//! An invariant is an item of a numbered list. Its last sentence begins with `Held by` and names checks, each as a word
//! for its kind and a name in backquotes:
//! - type `CELL::NAME`: a public type or trait of that crate;
//! - compile-fail `NAME`: a case under `tests/compile_fail`;
//! - unit `CRATE::NAME`: a test function of a cell or a tool;
//! - system `NAME`: a check of the running machine, by its full name;
//! - claim `TEXT`: a line that the system's own checks print, by its text in the sources;
//! - build `NAME`: a kind of `BuildError`.

use std::path::Path;

use crate::{HouseError, files, read};

/// The page.
pub const PAGE: &str = "docs/invariants.md";

/// One invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invariant {
    /// Its number on the page.
    pub number: u32,
    /// Kind and name of each check.
    pub checks: Vec<(String, String)>,
}

/// The invariants on the page of the tree at `root`.
///
/// # Errors
/// The page cannot be read.
pub fn page(root: &Path) -> Result<Vec<Invariant>, HouseError> {
    Ok(parse(&read(&root.join(PAGE))?))
}

fn parse(text: &str) -> Vec<Invariant> {
    let mut found: Vec<(u32, String)> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let number = line.split_once(". ").and_then(|(number, _)| number.parse().ok());
        if let Some(number) = number {
            found.push((number, line.to_owned()));
            is_open = true;
        } else if line.trim().is_empty() || line.starts_with('#') {
            is_open = false;
        } else if let (true, Some((_, item))) = (is_open, found.last_mut()) {
            item.push(' ');
            item.push_str(line.trim());
        }
    }
    found.into_iter().map(|(number, item)| Invariant { number, checks: checks(&item) }).collect()
}

/// Kind and name of each check after `Held by`.
fn checks(item: &str) -> Vec<(String, String)> {
    let Some((_, held)) = item.split_once("Held by") else { return Vec::new() };
    let mut parts = held.split('`');
    let mut found = Vec::new();
    while let (Some(before), Some(name)) = (parts.next(), parts.next()) {
        let kind = before.split_whitespace().last().unwrap_or_default();
        found.push((kind.to_owned(), name.to_owned()));
    }
    found
}

/// The sources in which checks are looked for.
pub struct Sources {
    /// Path and text of every Rust file of the tree.
    files: Vec<(String, String)>,
}

impl Sources {
    /// Reads the tree at `root`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(root: &Path) -> Result<Self, HouseError> {
        let texts = files(root, "rs")?.into_iter().map(|path| {
            let text = read(&path)?;
            Ok((path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned(), text))
        });
        Ok(Self { files: texts.collect::<Result<_, HouseError>>()? })
    }

    /// Whether a file with a path that `fits` has one of the texts.
    fn has(&self, fits: impl Fn(&str) -> bool, texts: &[String]) -> bool {
        let mut texts_there = self.files.iter().filter(|(path, _)| fits(path)).map(|(_, text)| text);
        texts_there.any(|there| texts.iter().any(|text| there.contains(text.as_str())))
    }

    /// What is wrong with `check`; nothing if it exists.
    #[must_use]
    pub fn complaint(&self, (kind, name): &(String, String)) -> Option<String> {
        let (krate, item) = name.rsplit_once("::").unwrap_or(("", name));
        let of_crate = |path: &str| path.split('/').any(|part| part == krate);
        let exists = match kind.as_str() {
            "type" => {
                let kinds = ["struct", "enum", "trait", "union", "type"];
                let texts = kinds
                    .iter()
                    .flat_map(|kind| [" ", "<", "(", ";", "{", ":"].map(|after| format!("pub {kind} {item}{after}")));
                let texts: Vec<String> = texts.chain([format!("pub unsafe trait {item} ")]).collect();
                self.has(of_crate, &texts)
            }
            "compile-fail" => self.has(|path| path == format!("tests/compile_fail/{name}.rs"), &[String::new()]),
            "unit" => self.files.iter().any(|(path, text)| of_crate(path) && is_test(text, item)),
            "system" => self.has(|path| path.starts_with("tests/system/"), &[format!("name: \"{name}\"")]),
            "claim" => {
                let own = |path: &str| path.starts_with("tests/cells/");
                self.has(own, &[format!("\"{name}\"")])
            }
            "build" => {
                self.has(|path| path == "tools/build/src/lib.rs", &[format!("    {name} {{"), format!("    {name}(")])
            }
            _ => return Some(format!("`{kind}` is no kind of check")),
        };
        (!exists).then(|| format!("there is no {kind} `{name}`"))
    }
}

/// Whether `text` has a test function called `name`.
fn is_test(text: &str, name: &str) -> bool {
    let attributes = text.match_indices("#[test]").map(|(at, _)| &text[at..]);
    let function = format!("fn {name}(");
    // The first function behind the attribute is the test.
    attributes.into_iter().any(|rest| rest.find("fn ").is_some_and(|first| rest[first..].starts_with(&function)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Title\n\n1. A frame has one owner. Held by compile-fail `one`, type `a::B`.\n\
        2. Another,\n   on two lines. Held by unit `a::b`\n   and system `it is so`.\n\nText `c`.\n";

    #[test]
    fn invariants_are_read_with_their_checks() {
        let found = parse(PAGE);
        let check = |kind: &str, name: &str| (kind.to_owned(), name.to_owned());
        assert_eq!(found[0].checks, [check("compile-fail", "one"), check("type", "a::B")]);
        assert_eq!(found[1].checks, [check("unit", "a::b"), check("system", "it is so")]);
        assert_eq!(found.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_check_that_does_not_exist_is_told() {
        let sources = Sources {
            files: vec![("cells/x/a/src/lib.rs".into(), "pub struct B; #[test] fn b() {} fn c() {}".into())],
        };
        let complaint = |kind: &str, name: &str| sources.complaint(&(kind.to_owned(), name.to_owned()));
        assert_eq!(complaint("type", "a::B"), None);
        assert_eq!(complaint("unit", "a::b"), None);
        for (kind, name) in [("type", "a::C"), ("type", "b::B"), ("unit", "a::c"), ("compile-fail", "a"), ("hope", "a")]
        {
            assert!(complaint(kind, name).is_some(), "{kind} {name}");
        }
    }
}
