//! Files of one crate that need each other.
//!
//! A file needs another one of its crate if a `use` or a path in it (`crate::…`, `super::…`, `self::…`, or the name of a
//! module in the file) leads there. A path is followed through re-exports to the file that has the item. That a file
//! declares another one as its module (`mod`), or re-exports its items, is no need. Tests do not count, nor does what is inside
//! a macro's arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

use crate::{HouseError, crates, files, read};

/// Files that all need each other, directly or not.
pub type Circle = BTreeSet<PathBuf>;

/// All circles of all crates in the tree at `root`.
///
/// # Errors
/// A file that cannot be read or is not Rust.
pub fn measure(root: &Path) -> Result<Vec<Circle>, HouseError> {
    let mut found = Vec::new();
    for folder in crates(root)? {
        let source = folder.join("src");
        let mut texts = BTreeMap::new();
        for path in files(&source, "rs")? {
            let text = read(&path)?;
            texts.insert(path.strip_prefix(&source).unwrap_or(&path).to_owned(), text);
        }
        let inside = source.strip_prefix(root).unwrap_or(&source);
        let circles =
            of_crate(&texts).map_err(|(path, error)| HouseError::Syntax { path: source.join(path), error })?;
        found.extend(circles.into_iter().map(|circle| circle.iter().map(|path| inside.join(path)).collect::<Circle>()));
    }
    Ok(found)
}

/// A path from the crate's root down.
type Module = Vec<String>;

/// What a module gives names to, beside its own items.
#[derive(Default)]
struct Names {
    children: BTreeSet<String>,
    /// Items that are re-exported, by the name they have here.
    reexports: BTreeMap<String, Module>,
    items: BTreeSet<String>,
    /// Modules of which all items are re-exported.
    globs: Vec<Module>,
}

/// The circles among the files of one crate, by their paths in its source folder.
fn of_crate(texts: &BTreeMap<PathBuf, String>) -> Result<Vec<Circle>, (PathBuf, syn::Error)> {
    let mut modules: BTreeMap<Module, Names> = BTreeMap::new();
    let mut homes: BTreeMap<Module, PathBuf> = BTreeMap::new();
    let mut uses: Vec<(PathBuf, Module)> = Vec::new();
    for (path, text) in texts {
        let file = syn::parse_file(text).map_err(|error| (path.clone(), error))?;
        let module = module_of(path);
        let mut reader = Reader { path, at: module, modules: &mut modules, homes: &mut homes, uses: &mut uses };
        reader.enter();
        reader.visit_file(&file);
    }
    let mut needs: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for (path, target) in uses {
        if let Some(home) = home(&modules, &homes, &target, 0)
            && *home != path
        {
            needs.entry(path).or_default().insert(home.clone());
        }
    }
    Ok(circles(&needs))
}

/// `load.rs` and `load/mod.rs` are `crate::load`; `lib.rs` is the crate.
fn module_of(path: &Path) -> Module {
    let mut parts: Module = path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || parts.len() == 1 && (last == "lib" || last == "main")) {
        parts.pop();
    }
    parts
}

/// The file that has the item or module `target`.
fn home<'a>(
    modules: &BTreeMap<Module, Names>,
    homes: &'a BTreeMap<Module, PathBuf>,
    target: &[String],
    depth: u32,
) -> Option<&'a PathBuf> {
    // The innermost module on the way, and the name that is looked for in it.
    let length = (0..=target.len()).rev().find(|&length| modules.contains_key(&target[..length]))?;
    let (module, rest) = target.split_at(length);
    let names = &modules[module];
    let Some(name) = rest.first().filter(|_| depth < 8) else { return homes.get(module) };
    if names.items.contains(name) {
        return homes.get(module);
    }
    if let Some(real) = names.reexports.get(name) {
        return home(modules, homes, real, depth + 1);
    }
    let has = |glob: &&Module| modules.get(*glob).is_some_and(|names| names.items.contains(name));
    match names.globs.iter().find(has) {
        Some(glob) => homes.get(glob),
        None => homes.get(module),
    }
}

/// Reads what a file defines and where its paths lead.
struct Reader<'a> {
    path: &'a Path,
    at: Module,
    modules: &'a mut BTreeMap<Module, Names>,
    homes: &'a mut BTreeMap<Module, PathBuf>,
    uses: &'a mut Vec<(PathBuf, Module)>,
}

impl Reader<'_> {
    fn enter(&mut self) {
        self.homes.insert(self.at.clone(), self.path.to_owned());
        self.names();
    }

    fn names(&mut self) -> &mut Names {
        self.modules.entry(self.at.clone()).or_default()
    }

    /// Where a path leads that is written in the present module, if it stays in the crate.
    fn absolute(&self, segments: &[String]) -> Option<Module> {
        let (first, rest) = segments.split_first()?;
        let mut from = match first.as_str() {
            "crate" => Module::new(),
            "self" => self.at.clone(),
            "super" => self.at.split_last()?.1.to_vec(),
            name if self.modules.get(&self.at).is_some_and(|names| names.children.contains(name)) => {
                let mut child = self.at.clone();
                child.push(first.clone());
                child
            }
            _ => return None,
        };
        for segment in rest {
            if segment == "super" {
                from.pop()?;
            } else {
                from.push(segment.clone());
            }
        }
        Some(from)
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>, is_reexport: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.use_tree(&path.tree, before, is_reexport);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, before, is_reexport);
                }
            }
            syn::UseTree::Glob(_) => {
                let Some(target) = self.absolute(before) else { return };
                if is_reexport {
                    self.names().globs.push(target);
                } else {
                    self.uses.push((self.path.to_owned(), target));
                }
            }
            syn::UseTree::Name(syn::UseName { ident, .. }) => self.use_name(ident, ident, before, is_reexport),
            syn::UseTree::Rename(rename) => self.use_name(&rename.ident, &rename.rename, before, is_reexport),
        }
    }

    fn use_name(&mut self, name: &syn::Ident, here: &syn::Ident, before: &[String], is_reexport: bool) {
        let mut segments = before.to_vec();
        if name != "self" {
            segments.push(name.to_string());
        }
        let Some(target) = self.absolute(&segments) else { return };
        if is_reexport {
            self.names().reexports.insert(here.to_string(), target);
        } else {
            self.uses.push((self.path.to_owned(), target));
        }
    }

    fn define(&mut self, name: &syn::Ident) {
        self.names().items.insert(name.to_string());
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_file(&mut self, file: &'ast syn::File) {
        // First all modules, for a path may be written before the module is declared.
        for item in &file.items {
            if let syn::Item::Mod(item) = item
                && !is_test(&item.attrs)
            {
                self.names().children.insert(item.ident.to_string());
            }
        }
        visit::visit_file(self, file);
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Mod(module) => {
                if is_test(&module.attrs) || module.content.is_none() {
                    return;
                }
                self.at.push(module.ident.to_string());
                self.enter();
                visit::visit_item(self, item);
                self.at.pop();
                return;
            }
            syn::Item::Use(item) => {
                let is_reexport = !matches!(item.vis, syn::Visibility::Inherited);
                self.use_tree(&item.tree, &mut Vec::new(), is_reexport);
                return;
            }
            syn::Item::Fn(item) if is_test(&item.attrs) => return,
            syn::Item::Fn(item) => self.define(&item.sig.ident),
            syn::Item::Struct(item) => self.define(&item.ident),
            syn::Item::Enum(item) => self.define(&item.ident),
            syn::Item::Union(item) => self.define(&item.ident),
            syn::Item::Trait(item) => self.define(&item.ident),
            syn::Item::Type(item) => self.define(&item.ident),
            syn::Item::Const(item) => self.define(&item.ident),
            syn::Item::Static(item) => self.define(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1
            && let Some(target) = self.absolute(&segments)
        {
            self.uses.push((self.path.to_owned(), target));
        }
        visit::visit_path(self, path);
    }
}

/// Sets of files that reach each other.
fn circles(needs: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> Vec<Circle> {
    let reached = |from: &PathBuf| -> BTreeSet<PathBuf> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            for next in needs.get(file).into_iter().flatten() {
                if reached.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        reached
    };
    let all: BTreeMap<&PathBuf, BTreeSet<PathBuf>> = needs.keys().map(|file| (file, reached(file))).collect();
    let mut found: BTreeSet<Circle> = BTreeSet::new();
    for (&file, reached) in all.iter().filter(|(file, reached)| reached.contains(**file)) {
        let both = |other: &&PathBuf| all.get(other).is_some_and(|back| back.contains(file));
        found.insert(reached.iter().filter(both).cloned().collect());
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(files: &[(&str, &str)]) -> usize {
        let texts = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
        of_crate(&texts).map_err(|(path, error)| format!("{}: {error}", path.display())).unwrap().len()
    }

    #[test]
    fn two_files_that_use_each_other_are_a_circle() {
        assert_eq!(
            count(&[
                ("lib.rs", "mod a; mod b; mod c;"),
                ("a.rs", "use crate::b::B; pub struct A(B);"),
                ("b.rs", "pub struct B; fn f() { crate::a::g(crate::c::C) }"),
                ("c.rs", "pub struct C;"),
            ]),
            1
        );
    }

    #[test]
    fn a_chain_is_none() {
        let leaf = ("c.rs", "pub struct C;");
        assert_eq!(count(&[("lib.rs", "mod a; mod c; fn f() { a::g() }"), ("a.rs", "use crate::c::C;"), leaf]), 0);
    }

    #[test]
    fn a_reexport_leads_to_where_the_item_is() {
        let root = ("lib.rs", "mod error; mod load; pub use error::Error; pub fn f() { load::g() }");
        assert_eq!(count(&[root, ("error.rs", "pub struct Error;"), ("load.rs", "use crate::Error;")]), 0);
        let root = ("lib.rs", "mod load; pub struct Error; pub fn f() { load::g() }");
        assert_eq!(count(&[root, ("load.rs", "use super::Error;")]), 1);
    }

    #[test]
    fn three_files_in_a_ring_are_one_circle_and_tests_are_none() {
        let ring = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "use crate::a; pub struct C;"),
        ];
        assert_eq!(count(&ring), 1);
        let tests = [
            ("lib.rs", "mod a; pub struct E; fn f() { a::g() }"),
            ("a.rs", "#[cfg(test)] mod tests { use crate::E; }"),
        ];
        assert_eq!(count(&tests), 0);
    }
}
