//! Which public functions of our own cells the code of a crate can call, if all that it has is its dependencies.
//!
//! What is public is read from rustdoc's JSON of each cell ([`Documentation`]), so macros, re-exports and generated
//! implementations count as the compiler sees them. [`reachable`] starts from the names that the dependencies give:
//! - a function that has a name there, or in a crate that is re-exported there, is reachable;
//! - a type that has a name is reachable with all its public functions, a trait with all its methods;
//! - a type that has no name there but appears in the signature of something reachable, or in a public field, is reachable
//!   with those functions that take `self`: a value of it can be had without its name.
//!
//! Not looked into: crates of the registry and of the language, methods of the language's traits (`Drop`, `Clone`, `Iterator`
//! of a reachable type), and macros, which expand to calls of what is listed. The set is too large rather than too small: a
//! value may be impossible to get although its type appears somewhere.

mod documentation;

use std::collections::{BTreeMap, BTreeSet};

pub use documentation::{Documentation, ReachError};
use documentation::{Item, Kind};

/// All cells with known public items, by name.
pub type Library = BTreeMap<String, Documentation>;

/// Public functions, by their paths `cell::path::function`, and whether each is safe to call.
pub type Functions = BTreeMap<String, bool>;

/// An item: its cell and its number in that cell's documentation.
type Place<'a> = (&'a str, u64);

/// How much of a type can be used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Access {
    /// A value can be had.
    Value,
    /// It can be named as well.
    Name,
}

/// What code can reach.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Public functions.
    pub functions: Functions,
    /// Crates that the way leads to and that the library does not have.
    pub missing: BTreeSet<String>,
}

struct Search<'a> {
    library: &'a Library,
    reached: Reached,
    modules: BTreeSet<Place<'a>>,
    types: BTreeMap<Place<'a>, Access>,
}

/// All public functions that the code of a crate can reach if its dependencies are the crates called `dependencies`.
#[must_use]
pub fn reachable(library: &Library, dependencies: &BTreeSet<String>) -> Reached {
    let mut search = Search { library, reached: Reached::default(), modules: BTreeSet::new(), types: BTreeMap::new() };
    for name in dependencies {
        match library.get_key_value(name) {
            Some((name, documentation)) => search.module(name, documentation.root),
            None => drop(search.reached.missing.insert(name.clone())),
        }
    }
    search.reached
}

impl<'a> Search<'a> {
    /// Everything that has a name in the module `id` of `cell`.
    fn module(&mut self, cell: &'a str, id: u64) {
        if !self.modules.insert((cell, id)) {
            return;
        }
        let Some(module) = self.library[cell].item(id) else { return };
        for child in module.children() {
            self.named(cell, child);
        }
    }

    /// An item that has a public name.
    fn named(&mut self, cell: &'a str, id: u64) {
        let Some((cell, item)) = self.resolve(cell, id) else { return };
        match item.kind() {
            Kind::Module => self.module(cell, item.id),
            Kind::Use { target: Some(target), is_glob } => {
                let Some((cell, target)) = self.resolve(cell, target) else { return };
                match (is_glob, target.kind()) {
                    (true, _) => self.module(cell, target.id),
                    (false, _) => self.named(cell, target.id),
                }
            }
            Kind::Function { .. } => self.function(cell, item, ""),
            Kind::Type => self.of_type(cell, item, Access::Name),
            Kind::Trait => self.methods_of_trait(cell, item),
            // A constant, a static or another name of a type leads to values.
            Kind::Other | Kind::Use { target: None, .. } => self.mentioned(cell, item),
            Kind::Implementation { .. } => {}
        }
    }

    /// The item with this number, in the cell that has it.
    fn resolve(&mut self, cell: &'a str, id: u64) -> Option<(&'a str, &'a Item)> {
        let documentation = &self.library[cell];
        if let Some(item) = documentation.item(id) {
            return Some((cell, item));
        }
        let path = documentation.path(id)?;
        let krate = path.first()?;
        let Some((name, other)) = self.library.get_key_value(krate) else {
            self.reached.missing.insert(krate.clone());
            return None;
        };
        other.item_at(path).map(|item| (name.as_str(), item))
    }

    /// A function, with the types in its signature.
    fn function(&mut self, cell: &'a str, item: &'a Item, owner: &str) {
        let Kind::Function { is_safe, .. } = item.kind() else { return };
        let separator = if owner.is_empty() { "" } else { "::" };
        let path = format!("{cell}::{owner}{separator}{}", item.name());
        self.reached.functions.insert(path, is_safe);
        self.mentioned(cell, item);
    }

    /// The types that `item` mentions: a value of each may be had.
    fn mentioned(&mut self, cell: &'a str, item: &'a Item) {
        for id in item.mentions() {
            let Some((cell, item)) = self.resolve(cell, id) else { continue };
            match item.kind() {
                Kind::Type => self.of_type(cell, item, Access::Value),
                Kind::Trait => self.methods_of_trait(cell, item),
                _ => {}
            }
        }
    }

    fn of_type(&mut self, cell: &'a str, item: &'a Item, access: Access) {
        let known = self.types.get(&(cell, item.id)).copied();
        if known >= Some(access) {
            return;
        }
        self.types.insert((cell, item.id), access);
        for field in item.public_fields(&self.library[cell]) {
            self.mentioned(cell, field);
        }
        for id in item.implementations() {
            let Some(implementation) = self.library[cell].item(id) else { continue };
            let Kind::Implementation { of_trait: false } = implementation.kind() else { continue };
            for id in implementation.children() {
                let Some(function) = self.library[cell].item(id).filter(|function| function.is_public()) else {
                    continue;
                };
                if let Kind::Function { takes_self, .. } = function.kind()
                    && (takes_self || access == Access::Name)
                {
                    self.function(cell, function, item.name());
                }
            }
        }
    }

    fn methods_of_trait(&mut self, cell: &'a str, item: &'a Item) {
        if self.types.insert((cell, item.id), Access::Name).is_some() {
            return;
        }
        for id in item.children() {
            if let Some(method) = self.library[cell].item(id) {
                self.function(cell, method, item.name());
            }
        }
    }
}

#[cfg(test)]
mod tests;
