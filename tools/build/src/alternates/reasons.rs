//! Why a cell belongs to the swap set of an alternate.

use std::collections::{BTreeMap, BTreeSet};

use digests::{ObjectDigests, SectionKind};
use manifest::Structure;
use serde::Serialize;

use crate::{BuildError, cells::Cell, describe, files};

/// One part of a cell that is not as in the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What it is: a function, a constant, a type.
    pub part: &'static str,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: &'static str,
    /// Functions of the crates that the alternate changes which the compiler put into it.
    pub inlined: Vec<String>,
}

impl Reason {
    /// As a line says it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{} {} {}", self.part, self.name, self.change);
        if let Some(first) = self.inlined.first() {
            text += &format!(", with {first} inlined");
        }
        text
    }
}

/// What of `changed` is not as in `base`, two versions of one cell, if `edited` are the crates that are changed. Empty when only
/// the order of the parts differs, or the names of unnamed ones.
///
/// # Errors
/// Objects or debug information that cannot be read.
pub fn reasons(base: &Cell, changed: &Cell, edited: &[String]) -> Result<Vec<Reason>, BuildError> {
    let (before, after) = (describe::digests(base)?, describe::digests(changed)?);
    let failed = |source| BuildError::Digests { cell: changed.name().to_owned(), source };
    let inlined = digests::inlined::functions(&files::read(&changed.full_object)?).map_err(failed)?;
    let mut reasons = Vec::new();
    for ((part, name), change) in differences(&parts(&before), &parts(&after)) {
        let of_edited = |name: &&String| edited.iter().any(|krate| comes_from(name, krate));
        let inlined: BTreeSet<_> =
            inlined.get(name).into_iter().flatten().filter(of_edited).map(|one| plain(one)).collect();
        reasons.push(Reason { part, name: plain(name), change, inlined: inlined.into_iter().collect() });
    }
    // What is put into a function says most.
    reasons.sort_by_key(|reason| reason.inlined.is_empty());
    Ok(reasons)
}

/// The named parts of an object with their digests.
fn parts(digests: &ObjectDigests) -> BTreeMap<(&'static str, &str), [u8; 16]> {
    let sections = digests.sections.iter().filter(|section| section.named).map(|section| {
        let part = match section.kind {
            SectionKind::Text | SectionKind::Boot => "function",
            SectionKind::Constants => "constant",
            _ => "static",
        };
        let name = section.name.find("_R").map_or(section.name.as_str(), |start| &section.name[start..]);
        ((part, name), section.digest)
    });
    let structures = digests.structures.iter().map(|structure| {
        let part = match structure.kind {
            Structure::Type => "type",
            Structure::Static => "type of static",
            Structure::TraitObject => "trait object",
            Structure::Signature => "signature",
        };
        ((part, structure.name.as_str()), structure.digest)
    });
    sections.chain(structures).collect()
}

fn differences<'a, K: Ord + Copy>(
    before: &'a BTreeMap<K, [u8; 16]>,
    after: &'a BTreeMap<K, [u8; 16]>,
) -> impl Iterator<Item = (K, &'static str)> {
    let gone = before.keys().filter(|key| !after.contains_key(key)).map(|&key| (key, "is gone"));
    let others = after.iter().filter_map(|(&key, digest)| match before.get(&key) {
        None => Some((key, "is new")),
        Some(other) => (other != digest).then_some((key, "differs")),
    });
    others.chain(gone)
}

/// Whether a function is of this crate, or one that was made for its types.
fn comes_from(mangled: &str, krate: &str) -> bool {
    plain(mangled)
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
        .any(|word| word.strip_prefix(krate).is_some_and(|rest| rest.starts_with("::")))
}

fn plain(mangled: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(mangled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_differ_come_and_go() {
        let of = |parts: &[(&'static str, u8)]| parts.iter().map(|&(name, digest)| (name, [digest; 16])).collect();
        let (before, after) = (of(&[("a", 1), ("b", 1), ("c", 1)]), of(&[("a", 1), ("b", 2), ("d", 1)]));
        let found: Vec<_> = differences(&before, &after).collect();
        assert_eq!(found, [("b", "differs"), ("d", "is new"), ("c", "is gone")]);
    }

    #[test]
    fn a_function_comes_from_its_crate_and_from_those_of_its_types() {
        // <alloc::vec::Vec<busy::Work> as core::ops::Drop>::drop
        let name = "_RNvXNtCs1_5alloc3vecINtB2_3VecNtCs3_4busy4WorkENtNtCs5_4core3ops4Drop4drop";
        assert!(comes_from(name, "busy") && comes_from(name, "alloc") && !comes_from(name, "vec"));
    }
}
