//! Functions in which a task may be ended wherever it stands.
//!
//! Between two instructions, what a function was lent can be half changed: a vector that grows has given its old memory back and
//! does not know the new one. If the task were ended there, its callers would drop that. So an end that a task does not come
//! to by itself waits until it is found in a function that was lent nothing that it could change: its types say so, and being
//! of safe code it has no other way (decision 0065).

use std::collections::{BTreeMap, BTreeSet};

use object::{SectionKind, SymbolKind};

use crate::{BuildError, cells::Cell};

/// The crates to which the compiler refuses `unsafe`.
#[derive(Debug)]
pub struct SafeCrates<'a>(BTreeSet<&'a str>);

impl<'a> SafeCrates<'a> {
    /// Those among `cells`, which are a whole tree.
    #[must_use]
    pub fn of(cells: &'a [Cell]) -> Self {
        Self(cells.iter().filter(|cell| cell.survey.forbids_unsafe).map(Cell::name).collect())
    }

    /// Sections of those functions of `cell` among `isolated` that mention in their names no other crates than these: neither
    /// the crate that they come from nor those of the types that they were made for. The functions of `isolated` were lent
    /// nothing that they could change. Where the compiler has found several functions to be the same, all have to be like
    /// that.
    ///
    /// # Errors
    /// An object that cells may not be.
    pub fn isolated_functions(&self, cell: &Cell, isolated: &BTreeSet<String>) -> Result<Vec<u32>, BuildError> {
        let object = cell.object()?;
        let mut sections = BTreeMap::new();
        for symbol in object.symbols.iter().filter(|symbol| symbol.kind == SymbolKind::Function) {
            let Some((section, offset)) = symbol.definition else { continue };
            if object.sections[section].kind == SectionKind::Text {
                let is_isolated = offset == 0 && isolated.contains(symbol.name) && self.has_all_of(symbol.name);
                sections.entry(section).and_modify(|all| *all &= is_isolated).or_insert(is_isolated);
            }
        }
        let isolated = sections.into_iter().filter(|&(_, is_isolated)| is_isolated);
        Ok(isolated.filter_map(|(section, _)| u32::try_from(section).ok()).collect())
    }

    fn has_all_of(&self, mangled: &str) -> bool {
        let demangled = rustc_demangle::demangle(mangled).to_string();
        let mut crates = crates(&demangled).peekable();
        crates.peek().is_some() && crates.all(|name| self.0.contains(name))
    }
}

/// The crates in a demangled name, where each is followed by its disambiguator: `name[1f3a]`.
fn crates(demangled: &str) -> impl Iterator<Item = &str> {
    demangled.match_indices('[').filter_map(|(at, _)| {
        let (before, after) = (&demangled[..at], &demangled[at + 1..]);
        let (disambiguator, _) = after.split_once(']')?;
        let is_number = !disambiguator.is_empty() && disambiguator.bytes().all(|byte| byte.is_ascii_hexdigit());
        let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |last| last + 1);
        (is_number && start < at).then(|| &before[start..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crates_of(mangled: &str) -> Vec<String> {
        crates(&rustc_demangle::demangle(mangled).to_string()).map(str::to_owned).collect()
    }

    #[test]
    fn all_crates_of_a_name_are_found() {
        assert_eq!(crates_of("_RNvCs2hpv1n30Og8_4heap15give_back_large"), ["heap"]);
        // <alloc::vec::Vec<busy::Work> as core::ops::Drop>::drop
        assert_eq!(
            crates_of("_RNvXNtCs1_5alloc3vecINtB2_3VecNtCs3_4busy4WorkENtNtCs5_4core3ops4Drop4drop"),
            ["alloc", "busy", "core"]
        );
        // busy::run::<[u8; 3]>::{closure#0}
        assert_eq!(crates_of("_RNCINvCs3_4busy3runAhj3_E0B3_"), ["busy"]);
        assert_eq!(crates_of("memcpy"), Vec::<String>::new());
    }

    #[test]
    fn a_function_is_safe_if_all_that_it_mentions_is() {
        let safe = SafeCrates(BTreeSet::from(["busy", "shell"]));
        assert!(safe.has_all_of("_RNCNvCs3_4busy3run0"));
        assert!(!safe.has_all_of("_RINvCs3_4busy3runNtCs5_4core5ErrorE"));
        assert!(!safe.has_all_of("_RINvCs5_4core3runNtCs3_4busy5ErrorE"));
        assert!(!safe.has_all_of("memcpy"));
        assert!(!safe.has_all_of("_RNvCs2hpv1n30Og8_4heap15give_back_large"));
    }
}
