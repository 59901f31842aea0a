//! Section digests: bytes, and relocations with named targets by name and anonymous ones by content.

use std::collections::HashMap;

use cell_object::{Binding, Object, Relocation, Section, SectionKind, Symbol, SymbolKind};
use manifest::ShortDigest as Digest;
use relocation::Kind;

use crate::hash::Hasher;

/// The digest of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionDigest {
    /// The section's name in the file.
    pub name: String,
    /// What it holds.
    pub kind: SectionKind,
    /// False for constants that only their content identifies: their name is a running number of the compiler.
    pub named: bool,
    /// Over bytes, size, alignment and relocations.
    pub digest: Digest,
}

/// The digest of every section, in file order.
pub(crate) fn section_digests(object: &Object<'_>) -> Vec<SectionDigest> {
    let mut hashing = Hashing { object, names: names(object), known: HashMap::new(), open: Vec::new() };
    (0..object.sections.len())
        .map(|index| {
            let digest = hashing.section(index);
            let section = &object.sections[index];
            SectionDigest {
                name: section.name.to_owned(),
                kind: section.kind,
                named: hashing.names[index].is_some(),
                digest,
            }
        })
        .collect()
}

/// The name by which others know each section: its symbol at offset 0, or for code the name of its section (relocations
/// inside an object use section symbols, so a private function may have no symbol that is used).
fn names<'a>(object: &Object<'a>) -> Vec<Option<&'a str>> {
    let mut names: Vec<Option<&str>> = object
        .sections
        .iter()
        .map(|section| match section.kind {
            SectionKind::Text | SectionKind::Boot => Some(section.name),
            _ => None,
        })
        .collect();
    for symbol in &object.symbols {
        if let Some((section, 0)) = symbol.definition
            && symbol.kind != SymbolKind::Section
            && (symbol.binding != Binding::Local || is_lasting(symbol.name))
        {
            names[section] = Some(symbol.name);
        }
    }
    names
}

/// True for a name that comes from the source; the compiler's running numbers are `.L…`, `anon.…` and `alloc_…`.
fn is_lasting(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.starts_with("anon.") && !name.starts_with("alloc_")
}

struct Hashing<'o, 'a> {
    object: &'o Object<'a>,
    names: Vec<Option<&'a str>>,
    known: HashMap<usize, Digest>,
    /// Anonymous sections that are being hashed, outermost first.
    open: Vec<usize>,
}

impl Hashing<'_, '_> {
    fn section(&mut self, index: usize) -> Digest {
        if let Some(digest) = self.known.get(&index) {
            return *digest;
        }
        self.open.push(index);
        let object = self.object;
        let section = &object.sections[index];
        let mut hasher = Hasher::new("section");
        hasher.number(section.size as u64).number(section.alignment as u64);
        hasher.number(section.kind as u64).bytes(section.bytes);
        for relocation in object.relocations(index) {
            hasher.number(relocation.offset as u64).number(relocation.kind as u64);
            self.target(&mut hasher, relocation);
        }
        self.open.pop();
        let digest = hasher.finish();
        // A digest taken inside a cycle of anonymous sections depends on where the walk began: not kept.
        if self.open.is_empty() || !self.reaches_open(index) {
            self.known.insert(index, digest);
        }
        digest
    }

    fn target(&mut self, hasher: &mut Hasher, relocation: &Relocation) {
        let symbol = &self.object.symbols[relocation.symbol];
        let addend = relocation.addend.cast_unsigned();
        let Some((section, offset)) = symbol.definition else {
            hasher.text("foreign").text(symbol.name).number(addend);
            return;
        };
        if let Some(name) = self.names[section] {
            hasher.text("named").text(name).number(offset as u64).number(addend);
        } else if let Some(entry) = merged_entry(&self.object.sections[section], symbol, offset, relocation) {
            hasher.text("entry").bytes(entry);
        } else if let Some(depth) = self.open.iter().rev().position(|open| *open == section) {
            hasher.text("cycle").number(depth as u64).number(offset as u64).number(addend);
        } else {
            let digest = self.section(section);
            hasher.text("anonymous").digest(&digest).number(offset as u64).number(addend);
        }
    }

    fn reaches_open(&self, index: usize) -> bool {
        let mut seen = vec![index];
        let mut at = 0;
        while let Some(&section) = seen.get(at) {
            at += 1;
            for relocation in self.object.relocations(section) {
                let Some((target, _)) = self.object.symbols[relocation.symbol].definition else { continue };
                if self.names[target].is_some() {
                    continue;
                }
                if self.open.contains(&target) {
                    return true;
                }
                if !seen.contains(&target) {
                    seen.push(target);
                }
            }
        }
        false
    }
}

/// The constant that is meant in a section that a whole object shares: constants of one size (`.rodata.cst8`) or strings
/// with a final zero (`.rodata.str1.1`, the paths in panic locations). Relative references carry the distance to the end of
/// their instruction in the addend, so they stay ambiguous.
fn merged_entry<'a>(
    section: &Section<'a>,
    symbol: &Symbol<'_>,
    offset: usize,
    relocation: &Relocation,
) -> Option<&'a [u8]> {
    if symbol.kind != SymbolKind::Section || !matches!(relocation.kind, Kind::Absolute64 | Kind::Absolute32Signed) {
        return None;
    }
    let start = offset.checked_add(usize::try_from(relocation.addend).ok()?)?;
    let rest = section.bytes.get(start..)?;
    if section.name.starts_with(".rodata.str1.") {
        let end = rest.iter().position(|byte| *byte == 0)?;
        return Some(&rest[..=end]);
    }
    let size: usize = section.name.strip_prefix(".rodata.cst")?.parse().ok()?;
    if size == 0 || !start.is_multiple_of(size) { None } else { rest.get(..size) }
}
