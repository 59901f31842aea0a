//! Reads the debug information of a relocatable object into a tree of the entries that matter.

use std::borrow::Cow;
use std::collections::HashMap;

use gimli::{AttributeValue, DebuggingInformationEntry, DwTag, EndianSlice, LittleEndian, SectionId, Unit, UnitOffset};
use goblin::elf::{
    Elf,
    reloc::{R_X86_64_32, R_X86_64_64},
    section_header::{SHF_COMPRESSED, SHT_NOBITS, SHT_RELA},
};

use crate::DigestError;

pub(crate) type Reader<'a> = EndianSlice<'a, LittleEndian>;

/// One entry; only what digests are made of.
pub(crate) struct Node<'a> {
    pub(crate) tag: DwTag,
    pub(crate) parent: Option<usize>,
    pub(crate) children: Vec<usize>,
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) linkage_name: Option<Cow<'a, str>>,
    /// The type of a member, parameter, variable or pointee; the discriminant of a variant part.
    pub(crate) of_type: Option<UnitOffset>,
    pub(crate) discriminant: Option<UnitOffset>,
    /// Where the rest of a split entry is.
    pub(crate) origin: Option<UnitOffset>,
    pub(crate) size: Option<u64>,
    pub(crate) alignment: Option<u64>,
    /// Member offset, enumerator value, discriminant value, or number of elements.
    pub(crate) value: Option<u64>,
    pub(crate) encoding: Option<u64>,
    pub(crate) is_code: bool,
    /// The function never returns.
    pub(crate) diverges: bool,
}

/// The entries of one compilation unit.
pub(crate) struct Tree<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) by_offset: HashMap<UnitOffset, usize>,
}

impl<'a> Tree<'a> {
    /// The node at an offset.
    pub(crate) fn at(&self, offset: UnitOffset) -> Option<usize> {
        self.by_offset.get(&offset).copied()
    }

    /// Follows the links of a split entry for a property of it.
    pub(crate) fn inherited<T>(&self, index: usize, property: impl Fn(&Node<'a>) -> Option<T>) -> Option<T> {
        let mut at = index;
        // An origin of an origin's specification is the longest chain that compilers make.
        for _ in 0..4 {
            let node = &self.nodes[at];
            if let Some(found) = property(node) {
                return Some(found);
            }
            at = self.at(node.origin?)?;
        }
        None
    }
}

/// Whether an entry is of interest, by its tag and that of the entry directly above, if that was kept.
pub(crate) type Kept = fn(DwTag, Option<DwTag>) -> bool;

/// Shows every unit of an object, with the entries that are `kept`.
pub(crate) fn walk(file: &[u8], kept: Kept, show: &mut dyn FnMut(&Tree<'_>)) -> Result<(), DigestError> {
    let sections = DebugSections::load(file)?;
    let dwarf = gimli::Dwarf::load(|id| Ok::<_, gimli::Error>(sections.reader(id)))?;
    let mut headers = dwarf.units();
    while let Some(header) = headers.next()? {
        let unit = dwarf.unit(header)?;
        show(&read_tree(&dwarf, &unit, kept)?);
    }
    Ok(())
}

/// The debug sections with their relocations applied.
struct DebugSections(HashMap<&'static str, Vec<u8>>);

impl DebugSections {
    const WANTED: [SectionId; 8] = [
        SectionId::DebugInfo,
        SectionId::DebugAbbrev,
        SectionId::DebugStr,
        SectionId::DebugStrOffsets,
        SectionId::DebugLineStr,
        SectionId::DebugLine,
        SectionId::DebugAddr,
        SectionId::DebugTypes,
    ];

    fn load(file: &[u8]) -> Result<Self, DigestError> {
        let elf = Elf::parse(file)?;
        let mut sections = HashMap::new();
        for (index, header) in elf.section_headers.iter().enumerate() {
            let name = elf.shdr_strtab.get_at(header.sh_name).unwrap_or_default();
            let Some(id) = Self::WANTED.into_iter().find(|id| id.name() == name) else { continue };
            let outside = || DigestError::DebugSection { section: name.to_owned() };
            if header.sh_flags & u64::from(SHF_COMPRESSED) != 0 || header.sh_type == SHT_NOBITS {
                return Err(outside());
            }
            let start = usize::try_from(header.sh_offset).map_err(|_| outside())?;
            let size = usize::try_from(header.sh_size).map_err(|_| outside())?;
            let end = start.checked_add(size).ok_or_else(outside)?;
            let mut bytes = file.get(start..end).ok_or_else(outside)?.to_vec();
            relocate(&elf, index, &mut bytes).ok_or_else(outside)?;
            sections.insert(id.name(), bytes);
        }
        Ok(Self(sections))
    }

    fn reader(&self, id: SectionId) -> Reader<'_> {
        EndianSlice::new(self.0.get(id.name()).map_or(&[], Vec::as_slice), LittleEndian)
    }
}

/// Applies the relocations of a debug section, which place offsets into other debug sections and addresses. Addresses of
/// code mean nothing before linking, and no digest uses them.
fn relocate(elf: &Elf<'_>, section: usize, bytes: &mut [u8]) -> Option<()> {
    for (table, relocations) in &elf.shdr_relocs {
        let header = elf.section_headers.get(*table)?;
        if header.sh_type != SHT_RELA || usize::try_from(header.sh_info) != Ok(section) {
            continue;
        }
        for relocation in relocations {
            let symbol = elf.syms.get(relocation.r_sym)?;
            let value = symbol.st_value.wrapping_add_signed(relocation.r_addend.unwrap_or(0));
            let width = match relocation.r_type {
                R_X86_64_64 => 8,
                R_X86_64_32 => 4,
                // Offsets of thread locals: no digest uses them either.
                _ => continue,
            };
            let at = usize::try_from(relocation.r_offset).ok()?;
            let field = bytes.get_mut(at..at.checked_add(width)?)?;
            field.copy_from_slice(&value.to_le_bytes()[..width]);
        }
    }
    Some(())
}

fn read_tree<'a>(
    dwarf: &gimli::Dwarf<Reader<'a>>,
    unit: &Unit<Reader<'a>>,
    kept: Kept,
) -> Result<Tree<'a>, DigestError> {
    let mut tree = Tree { nodes: Vec::new(), by_offset: HashMap::new() };
    // The kept ancestors of the entry being read, with their depth.
    let mut path: Vec<(isize, usize)> = Vec::new();
    let mut entries = unit.entries();
    while let Some(entry) = entries.next_dfs()? {
        let depth = entry.depth();
        while path.last().is_some_and(|(above, _)| *above >= depth) {
            path.pop();
        }
        let parent = path.last().copied();
        if !kept(entry.tag(), parent.filter(|(above, _)| *above == depth - 1).map(|(_, at)| tree.nodes[at].tag)) {
            continue;
        }
        let parent = parent.map(|(_, at)| at);
        let index = tree.nodes.len();
        tree.nodes.push(read_node(dwarf, unit, entry, parent)?);
        tree.by_offset.insert(entry.offset(), index);
        if let Some(parent) = parent {
            tree.nodes[parent].children.push(index);
        }
        path.push((depth, index));
    }
    Ok(tree)
}

/// What digests are made of. The bulk of debug information is variables and inlined calls inside functions, of no interest to
/// them.
pub(crate) fn is_kept(tag: DwTag, parent: Option<DwTag>) -> bool {
    match tag {
        gimli::DW_TAG_formal_parameter => {
            matches!(parent, Some(gimli::DW_TAG_subprogram | gimli::DW_TAG_subroutine_type))
        }
        gimli::DW_TAG_variable => matches!(parent, Some(gimli::DW_TAG_namespace | gimli::DW_TAG_compile_unit)),
        gimli::DW_TAG_compile_unit
        | gimli::DW_TAG_namespace
        | gimli::DW_TAG_subprogram
        | gimli::DW_TAG_structure_type
        | gimli::DW_TAG_union_type
        | gimli::DW_TAG_enumeration_type
        | gimli::DW_TAG_enumerator
        | gimli::DW_TAG_variant_part
        | gimli::DW_TAG_variant
        | gimli::DW_TAG_member
        | gimli::DW_TAG_base_type
        | gimli::DW_TAG_pointer_type
        | gimli::DW_TAG_array_type
        | gimli::DW_TAG_subrange_type
        | gimli::DW_TAG_subroutine_type
        | gimli::DW_TAG_typedef => true,
        _ => false,
    }
}

fn read_node<'a>(
    dwarf: &gimli::Dwarf<Reader<'a>>,
    unit: &Unit<Reader<'a>>,
    entry: &DebuggingInformationEntry<Reader<'a>>,
    parent: Option<usize>,
) -> Result<Node<'a>, DigestError> {
    let mut node = Node {
        tag: entry.tag(),
        parent,
        children: Vec::new(),
        name: None,
        linkage_name: None,
        of_type: None,
        discriminant: None,
        origin: None,
        size: None,
        alignment: None,
        value: None,
        encoding: None,
        is_code: false,
        diverges: false,
    };
    let text = |value: AttributeValue<Reader<'a>>| -> Result<Cow<'a, str>, DigestError> {
        Ok(dwarf.attr_string(unit, value)?.to_string_lossy())
    };
    for attribute in entry.attrs() {
        let value = attribute.value();
        match attribute.name() {
            gimli::DW_AT_name => node.name = Some(text(value)?),
            gimli::DW_AT_linkage_name => node.linkage_name = Some(text(value)?),
            gimli::DW_AT_type => node.of_type = reference(unit, &value),
            gimli::DW_AT_discr => node.discriminant = reference(unit, &value),
            gimli::DW_AT_specification | gimli::DW_AT_abstract_origin => node.origin = reference(unit, &value),
            gimli::DW_AT_byte_size => node.size = number(&value),
            gimli::DW_AT_alignment => node.alignment = number(&value),
            gimli::DW_AT_data_member_location
            | gimli::DW_AT_data_bit_offset
            | gimli::DW_AT_const_value
            | gimli::DW_AT_discr_value
            | gimli::DW_AT_upper_bound
            | gimli::DW_AT_count => node.value = number(&value),
            gimli::DW_AT_encoding => node.encoding = number(&value),
            gimli::DW_AT_low_pc => node.is_code = true,
            gimli::DW_AT_noreturn => node.diverges = true,
            _ => {}
        }
    }
    Ok(node)
}

fn reference(unit: &Unit<Reader<'_>>, value: &AttributeValue<Reader<'_>>) -> Option<UnitOffset> {
    match value {
        AttributeValue::UnitRef(offset) => Some(*offset),
        AttributeValue::DebugInfoRef(offset) => offset.to_unit_offset(&unit.header),
        _ => None,
    }
}

/// A constant as 64 bits; a longer one (the discriminant value of a 128-bit enum) by its first eight bytes.
fn number(value: &AttributeValue<Reader<'_>>) -> Option<u64> {
    match value {
        AttributeValue::Encoding(encoding) => Some(u64::from(encoding.0)),
        AttributeValue::Block(block) => {
            let bytes = block.slice();
            let mut first = [0; 8];
            let length = bytes.len().min(8);
            first[..length].copy_from_slice(&bytes[..length]);
            Some(u64::from_le_bytes(first))
        }
        other => other.udata_value().or_else(|| other.sdata_value().map(i64::cast_unsigned)),
    }
}
