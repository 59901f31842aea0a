//! Whether one version of a cell may take another's place in the running system, and which parts of both are the same.
//!
//! Guarantee: if [`compare`] succeeds, no value that lives across the change gets a structure that it does not have.
//! Types, trait objects and the signatures of functions that others call are the same in both versions, thread locals
//! too, and so is every static, unless the cell hands its state over. Else the error names the thing
//! that would be lost ([`Incompatibility`]). A version without digests is refused, because nothing is known of its types.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod incompatibility;

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use hashbrown::{HashMap, HashSet};
pub use incompatibility::Incompatibility;
use manifest::{CellDetails, ShortDigest, StructuralDigest, Structure};
use object::{Object, SectionKind, SymbolKind};

/// One version of a cell.
#[derive(Clone, Copy)]
pub struct Version<'a> {
    /// Name of the cell, the same for both.
    pub name: &'a str,
    /// Its object.
    pub object: &'a Object<'a>,
    /// The digests that the build took of it.
    pub details: &'a CellDetails,
}

/// Sections of the old version and their counterparts in the new one.
#[derive(Debug)]
pub struct Comparison {
    /// For each new section that holds a static which stays: the old section.
    pub kept_statics: HashMap<usize, usize>,
    /// For each old section of the same name in the new version.
    pub counterpart: HashMap<usize, usize>,
    /// Old sections of text that may go on running after the change.
    pub stable: HashSet<usize>,
}

impl Version<'_> {
    fn structures(&self, kind: Structure) -> HashMap<&str, ShortDigest> {
        let of_kind = self.details.structures.iter().filter(|structure| structure.kind == kind);
        of_kind.map(|structure| (structure.name.as_str(), structure.digest)).collect()
    }

    /// Whether the digests describe the object: each function has a signature.
    fn has_digests(&self) -> bool {
        let has_text = self.object.sections.iter().any(|section| section.kind == SectionKind::Text && section.size > 0);
        let has_signature = self.details.structures.iter().any(|structure| structure.kind == Structure::Signature);
        self.details.sections.len() == self.object.sections.len() && (has_signature || !has_text)
    }

    /// Mangled names of the symbols in `section`.
    fn symbols_in(&self, section: usize) -> impl Iterator<Item = &str> {
        self.object.symbols.iter().filter_map(move |symbol| {
            let inside = symbol.definition.is_some_and(|(place, _)| place == section);
            (inside && symbol.kind != SymbolKind::Section).then_some(symbol.name)
        })
    }
}

/// Compares two versions of a cell. With `state_transfer`, the mangled names of its functions `export_state` and `import_state`, statics and
/// types of the cell's own may change: their values are given up by the old version and taken over by the new one. `called`
/// says whether others refer to a function.
///
/// # Errors
/// [`Incompatibility`] names the thing that the new version would break.
pub fn compare(
    old: &Version<'_>,
    new: &Version<'_>,
    state_transfer: Option<&(String, String)>,
    called: &dyn Fn(&str) -> bool,
) -> Result<Comparison, Incompatibility> {
    if !old.has_digests() || !new.has_digests() {
        return Err(Incompatibility::NoDigests);
    }
    check_thread_locals(old, new)?;
    state_transfer.map_or(Ok(()), |functions| check_state_transfer(old, new, functions))?;
    let hands_over = state_transfer.is_some();
    check_structures(old, new, hands_over, called)?;
    let by_name: HashMap<&str, usize> =
        new.object.sections.iter().enumerate().map(|(number, section)| (section.name, number)).collect();
    let counterpart: HashMap<usize, usize> = old
        .object
        .sections
        .iter()
        .enumerate()
        .filter_map(|(number, section)| Some((number, *by_name.get(section.name)?)))
        .collect();
    let kept_statics = keep_statics(old, new, &counterpart, hands_over)?;
    let kept: HashSet<usize> = kept_statics.values().copied().collect();
    let stable = stable_text(old, new, &counterpart, &kept);
    Ok(Comparison { kept_statics, counterpart, stable })
}

fn check_thread_locals(old: &Version<'_>, new: &Version<'_>) -> Result<(), Incompatibility> {
    let blocks = |version: &Version<'_>| -> Vec<(String, usize)> {
        let thread = |kind| matches!(kind, SectionKind::ThreadData | SectionKind::ThreadZero);
        let sections = version.object.sections.iter().filter(|section| thread(section.kind));
        sections.map(|section| (section.name.to_string(), section.size)).collect()
    };
    if blocks(old) == blocks(new) { Ok(()) } else { Err(Incompatibility::ThreadLocals) }
}

/// The functions that pass the state on must have the same signature in both versions, and a known one.
fn check_state_transfer(
    old: &Version<'_>,
    new: &Version<'_>,
    functions: &(String, String),
) -> Result<(), Incompatibility> {
    let (before, after) = (old.structures(Structure::Signature), new.structures(Structure::Signature));
    let changed = |function: &&&String| {
        let digest = before.get(function.as_str());
        digest.is_none() || digest != after.get(function.as_str())
    };
    match [&functions.0, &functions.1].iter().find(changed) {
        Some(function) => Err(Incompatibility::Structure(Structure::Signature, function.to_string())),
        None => Ok(()),
    }
}

/// A structure that both versions have must be the same in both.
fn check_structures(
    old: &Version<'_>,
    new: &Version<'_>,
    hands_over: bool,
    called: &dyn Fn(&str) -> bool,
) -> Result<(), Incompatibility> {
    for kind in [Structure::Type, Structure::TraitObject, Structure::Signature] {
        let after = new.structures(kind);
        let broken = |StructuralDigest { name, digest, .. }: &&StructuralDigest| {
            let changed = after.get(name.as_str()).is_some_and(|other| other != digest);
            // Values of the types that the cell defines itself it converts itself, if it hands over.
            let own = hands_over && kind == Structure::Type && mentions(name, old.name);
            let internal = kind == Structure::Signature && !called(name);
            changed && !own && !internal
        };
        let before = old.details.structures.iter().filter(|structure| structure.kind == kind);
        // With a type change those that hold values of it; its own name is shorter than theirs.
        if let Some(structure) = before.filter(broken).min_by_key(|structure| structure.name.len()) {
            return Err(Incompatibility::Structure(kind, structure.name.to_string()));
        }
    }
    Ok(())
}

/// Whether the path of a type, or of one of its parameters, begins with this crate.
fn mentions(path: &str, name: &str) -> bool {
    let part_of_name = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    path.match_indices(name)
        .any(|(start, _)| path[start + name.len()..].starts_with("::") && !path[..start].ends_with(part_of_name))
}

fn is_static(kind: SectionKind) -> bool {
    matches!(kind, SectionKind::Data | SectionKind::Zero)
}

fn keep_statics(
    old: &Version<'_>,
    new: &Version<'_>,
    counterpart: &HashMap<usize, usize>,
    hands_over: bool,
) -> Result<HashMap<usize, usize>, Incompatibility> {
    let (before, after) = (old.structures(Structure::Static), new.structures(Structure::Static));
    let mut kept = HashMap::new();
    for (number, section) in old.object.sections.iter().enumerate().filter(|(_, section)| is_static(section.kind)) {
        let same = counterpart.get(&number).copied().filter(|&other| {
            let other = &new.object.sections[other];
            let structure = |name: &str| match (before.get(name), after.get(name)) {
                (Some(one), Some(two)) => one == two,
                // Without debug information only the size speaks for a static; both versions must be without it.
                (None, None) => true,
                _ => false,
            };
            other.kind == section.kind && other.size == section.size && old.symbols_in(number).all(structure)
        });
        match same {
            Some(other) => {
                kept.insert(other, number);
            }
            // A static of size 0 has no value, and a value that the cell hands over is not lost.
            None if section.size == 0 || hands_over => {}
            None => {
                let name = old.symbols_in(number).next().unwrap_or(section.name);
                return Err(Incompatibility::Static(name.to_string()));
            }
        }
    }
    Ok(kept)
}

/// Text that does the same in both versions and names no static that changes: a stack may stand in it, because its calls
/// are patched to lead to the new version.
fn stable_text(
    old: &Version<'_>,
    new: &Version<'_>,
    counterpart: &HashMap<usize, usize>,
    kept: &HashSet<usize>,
) -> HashSet<usize> {
    let digests = |details: &CellDetails| -> HashMap<u32, ShortDigest> {
        details.sections.iter().map(|section| (section.section, section.digest)).collect()
    };
    let (before, after) = (digests(old.details), digests(new.details));
    let key = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let same = |number: usize| {
        let other = counterpart.get(&number).and_then(|&other| after.get(&key(other)));
        matches!((before.get(&key(number)), other), (Some(one), Some(two)) if one == two)
    };
    let defined: HashMap<&str, usize> = old
        .object
        .symbols
        .iter()
        .filter_map(|symbol| Some((symbol.name, symbol.definition?.0)))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    let names_lost_static = |number: usize| {
        old.object.relocations(number).iter().any(|place| {
            let symbol = &old.object.symbols[place.symbol];
            let target = symbol.definition.map(|(section, _)| section).or_else(|| defined.get(symbol.name).copied());
            target.is_some_and(|target| is_static(old.object.sections[target].kind) && !kept.contains(&target))
        })
    };
    (0..old.object.sections.len())
        .filter(|&number| old.object.sections[number].kind == SectionKind::Text)
        .filter(|&number| same(number) && !names_lost_static(number))
        .collect()
}
