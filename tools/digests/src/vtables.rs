//! Order of methods behind trait objects, read from the vtables themselves.
//!
//! A vtable is an anonymous constant: drop glue or zero, size, alignment, then one address for each method. The debug
//! information does not name the methods, their symbols do.

use cell_object::{Object, Section, SectionKind, Symbol};
use manifest::Structure;
use relocation::Kind;

use crate::hash::Hasher;
use crate::structure::{Collector, belongs_to_toolchain};

/// Drop glue, size and alignment.
const HEADER_WORDS: usize = 3;
const WORD: usize = 8;

/// Adds the layout of every trait object that the object has a vtable for.
pub(crate) fn collect(object: &Object<'_>, collector: &mut Collector) {
    for (index, section) in object.sections.iter().enumerate() {
        if section.kind == SectionKind::Constants
            && let Some(methods) = methods(object, index, section)
            && let Some((trait_path, _)) = methods.iter().flatten().last()
            && !belongs_to_toolchain(trait_path)
        {
            let mut hasher = Hasher::new("trait object");
            for method in &methods {
                match method {
                    Some((owner, name)) => hasher.text(owner).text(name),
                    None => hasher.text("vacant"),
                };
            }
            collector.add(Structure::TraitObject, format!("dyn {trait_path}"), hasher.finish());
        }
    }
}

/// The (trait, method) of each entry, `None` for an entry without a function; no list if this is no vtable.
fn methods(object: &Object<'_>, index: usize, section: &Section<'_>) -> Option<Vec<Option<(String, String)>>> {
    let words = section.size / WORD;
    if words <= HEADER_WORDS || !section.size.is_multiple_of(WORD) {
        return None;
    }
    let mut targets: Vec<Option<usize>> = vec![None; words];
    for relocation in object.relocations(index) {
        if relocation.kind != Kind::Absolute64 || !relocation.offset.is_multiple_of(WORD) || relocation.addend != 0 {
            return None;
        }
        *targets.get_mut(relocation.offset / WORD)? = Some(relocation.symbol);
    }
    let word = |at: usize| -> Option<u64> {
        let bytes = section.bytes.get(at * WORD..(at + 1) * WORD)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    if targets[1].is_some() || targets[2].is_some() || !word(2)?.is_power_of_two() {
        return None;
    }
    targets[HEADER_WORDS..]
        .iter()
        .enumerate()
        .map(|(entry, target)| match target {
            Some(symbol) => Some(method(&object.symbols[*symbol], object)),
            None => (word(entry + HEADER_WORDS)? == 0).then_some(None),
        })
        .collect()
}

/// Splits `<Type as Trait>::method` as the demangler writes it. The type itself does not count, its trait and the method do.
fn method(symbol: &Symbol<'_>, object: &Object<'_>) -> Option<(String, String)> {
    let mut name = symbol.name;
    if let Some((section, _)) = symbol.definition
        && name == object.sections[section].name
    {
        name = name.strip_prefix(".text.").unwrap_or(name);
    }
    let readable = format!("{:#}", rustc_demangle::demangle(name));
    let inside = readable.strip_prefix('<')?;
    let close = closing_bracket(inside)?;
    let (_, owner) = split_at_as(&inside[..close])?;
    let method = inside[close + 1..].strip_prefix("::")?;
    Some((owner.to_owned(), method.to_owned()))
}

/// Position of the `>` that closes a bracket opened before the text.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' => depth += 1,
            // The arrow of a function type is no bracket.
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b'>' if depth == 0 => return Some(at),
            b'>' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Splits at the ` as ` that is not inside a nested bracket.
fn split_at_as(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            b'>' if text.as_bytes()[at.saturating_sub(1)] != b'-' => depth = depth.saturating_sub(1),
            b')' | b']' => depth = depth.saturating_sub(1),
            b' ' if depth == 0 && text[at..].starts_with(" as ") => return Some((&text[..at], &text[at + 4..])),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_brackets_do_not_end_a_path() {
        let text = "a::B<fn(u8) -> u8> as c::D<<e::F as g::H>::I>>::run";
        let close = closing_bracket(text).unwrap();
        assert_eq!(&text[close..], ">::run");
        assert_eq!(split_at_as(&text[..close]), Some(("a::B<fn(u8) -> u8>", "c::D<<e::F as g::H>::I>")));
    }
}
