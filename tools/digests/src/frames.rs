//! Which text bytes lack a frame entry. The unwinder would stop there, so such a build is refused.

use cell_object::{Object, Section, SectionKind};
use relocation::Kind;

use crate::DigestError;

/// A stretch of text that no frame entry covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The text section's name.
    pub section: String,
    /// First uncovered byte.
    pub start: usize,
    /// First byte after it that is covered again, or the section's end.
    pub end: usize,
}

/// All text bytes of an object without a frame entry.
///
/// # Errors
/// [`DigestError`]: the object or its frame information is damaged.
pub fn gaps(file: &[u8]) -> Result<Vec<Gap>, DigestError> {
    let object = Object::parse(file)?;
    let mut covered: Vec<Vec<(usize, usize)>> = vec![Vec::new(); object.sections.len()];
    for (index, section) in object.sections.iter().enumerate() {
        if section.kind == SectionKind::Frames {
            read_ranges(&object, index, section, &mut covered)?;
        }
    }
    let mut gaps = Vec::new();
    for (section, ranges) in object.sections.iter().zip(&mut covered) {
        if section.kind == SectionKind::Text {
            ranges.sort_unstable();
            find_gaps(section, ranges, &mut gaps);
        }
    }
    Ok(gaps)
}

fn find_gaps(section: &Section<'_>, ranges: &[(usize, usize)], gaps: &mut Vec<Gap>) {
    let mut reached = 0;
    for &(start, end) in ranges.iter().chain([&(section.size, section.size)]) {
        if start > reached && !is_padding(section.bytes.get(reached..start).unwrap_or_default()) {
            gaps.push(Gap { section: section.name.to_owned(), start: reached, end: start });
        }
        reached = reached.max(end);
    }
}

/// True for the filler between aligned functions: it is never executed. Linkers and assemblers use NOPs and INT3.
fn is_padding(bytes: &[u8]) -> bool {
    // Multi-byte NOPs: 0f 1f /0 with any operand, with 66 and 2e prefixes before it.
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return true,
            [0x90 | 0xcc | 0x66 | 0x2e, tail @ ..] => tail,
            [0x0f, 0x1f, 0x00, tail @ ..] | [0x0f, 0x1f, 0x40, _, tail @ ..] => tail,
            [0x0f, 0x1f, 0x44, _, _, tail @ ..] | [0x0f, 0x1f, 0x80, _, _, _, _, tail @ ..] => tail,
            [0x0f, 0x1f, 0x84, _, _, _, _, _, tail @ ..] => tail,
            _ => return false,
        };
    }
}

/// Reads the code range of every frame description entry; the start comes from the relocation on it.
fn read_ranges(
    object: &Object<'_>,
    index: usize,
    frames: &Section<'_>,
    covered: &mut [Vec<(usize, usize)>],
) -> Result<(), DigestError> {
    let word = |at: usize| -> Option<usize> {
        let bytes = frames.bytes.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    let mut relocations = object.relocations(index).to_vec();
    relocations.sort_unstable_by_key(|relocation| relocation.offset);
    let mut at = 0;
    while at < frames.bytes.len() {
        let damaged = || DigestError::FrameRecord { offset: at };
        let length = word(at).ok_or_else(damaged)?;
        if length == 0 {
            at += 4;
            continue;
        }
        let end = at.checked_add(4 + length).filter(|end| *end <= frames.bytes.len()).ok_or_else(damaged)?;
        let is_common_entry = word(at + 4).ok_or_else(damaged)? == 0;
        if !is_common_entry {
            let field = at + 8;
            let found = relocations.binary_search_by_key(&field, |relocation| relocation.offset);
            let relocation = relocations[found.map_err(|_| damaged())?];
            let size = match relocation.kind {
                Kind::Relative32 => word(field + 4),
                Kind::Relative64 => word(field + 8),
                _ => None,
            };
            let size = size.ok_or_else(damaged)?;
            let symbol = object.symbols[relocation.symbol];
            let (section, offset) = symbol.definition.ok_or_else(damaged)?;
            let start = offset
                .checked_add_signed(isize::try_from(relocation.addend).map_err(|_| damaged())?)
                .ok_or_else(damaged)?;
            covered[section].push((start, start.checked_add(size).ok_or_else(damaged)?));
        }
        at = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_padding;

    #[test]
    fn fillers_are_told_from_code() {
        assert!(is_padding(&[]));
        assert!(is_padding(&[0xcc; 7]));
        assert!(is_padding(&[0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0x90]));
        assert!(!is_padding(&[0xc3]));
        assert!(!is_padding(&[0x90, 0x0f, 0x0b]));
    }
}
