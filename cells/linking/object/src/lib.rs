//! A cell's object file, read and checked.
//!
//! Guarantees to the linker: every [`Object`] is a 64-bit little-endian x86_64 relocatable file. The bytes of its sections
//! lie inside the file. Its relocations lie inside their sections, are of a kind that [`relocation`] knows, and name a
//! symbol that exists. Its symbols lie inside their sections. File and memory are at most [`MAX_SIZE`], so every offset
//! fits 32 bits, and a damaged size cannot ask for all memory there is. So nothing later needs to check a bound again.
//! Reading takes memory and time in proportion to the file.
//!
//! It fails with an [`ObjectError`] that names section and symbol; it does not panic on any input (the fuzz target
//! `object` and the mutation test hold it to that).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod error;

use alloc::vec::Vec;
use core::ops::Range;

pub use error::{Name, ObjectError};
use goblin::elf::{
    Elf, Sym,
    header::{EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2LSB, EM_X86_64, ET_REL},
    reloc::Reloc,
    section_header::{
        SHF_ALLOC, SHF_EXECINSTR, SHF_TLS, SHF_WRITE, SHT_NOBITS, SHT_PROGBITS, SHT_RELA, SHT_X86_64_UNWIND,
        SectionHeader,
    },
    sym::{STB_GLOBAL, STB_LOCAL, STB_WEAK, STT_FUNC, STT_NOTYPE, STT_OBJECT, STT_SECTION, STT_TLS},
};
use relocation::Kind;

/// The most bytes that an object's file may have, and that its sections may need in memory, gaps for their alignment
/// included.
pub const MAX_SIZE: usize = 16 << 20;

/// The largest alignment that a section may ask for: a page.
pub const MAX_ALIGNMENT: usize = 4096;

/// Bytes of an entry of a relocation table with addends.
const RELOCATION_SIZE: usize = 24;

const SHN_UNDEFINED: usize = 0;
const SHN_RESERVED: usize = 0xff00;

/// The content of a section, which decides the rights with which it is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// Machine code: readable and executable.
    Text,
    /// Constants, landing-pad tables included: readable.
    Constants,
    /// Call frame information (`.eh_frame`): readable.
    Frames,
    /// Initialised statics: readable and writable.
    Data,
    /// Zeroed statics; no bytes in the file.
    Zero,
    /// The initial image of thread locals.
    ThreadData,
    /// Zeroed thread locals.
    ThreadZero,
    /// The seed's code and tables from before paging, gone after boot. The host tool alone accepts it.
    Boot,
}

/// One section that takes part in linking.
#[derive(Debug)]
pub struct Section<'a> {
    /// Its name in the file.
    pub name: &'a str,
    /// Its content.
    pub kind: SectionKind,
    /// Size in memory, bytes.
    pub size: usize,
    /// Alignment in memory: a power of two, at most [`MAX_ALIGNMENT`].
    pub alignment: usize,
    /// Its initial bytes; empty for the zeroed kinds, else `size` long.
    pub bytes: &'a [u8],
    relocations: Range<usize>,
}

impl Section<'_> {
    /// Whether it says how to leave functions of this object: call frames or landing pads. Only code that unwinds a frame of such
    /// a function looks at it.
    #[must_use]
    pub fn describes_frames(&self) -> bool {
        self.kind == SectionKind::Frames || self.name.starts_with(".gcc_except_table")
    }
}

/// The thing that a symbol names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// A function.
    Function,
    /// A constant, a static or an assembly label.
    Data,
    /// A thread local.
    Thread,
    /// A section of this object itself.
    Section,
}

/// The cells that see a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// This object only.
    Local,
    /// Everybody; two definitions are an error.
    Global,
    /// Everybody, unless a global definition exists.
    Weak,
}

/// A symbol, defined here or wanted from elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Symbol<'a> {
    /// The mangled name; for a section symbol the name of the section.
    pub name: &'a str,
    /// The thing that it names.
    pub kind: SymbolKind,
    /// The cells that see it.
    pub binding: Binding,
    /// Index into [`Object::sections`] and the offset there; `None` for a symbol wanted from elsewhere.
    pub definition: Option<(usize, usize)>,
    /// Size in bytes, 0 if the assembler gave none.
    pub size: usize,
}

/// One reference of a section to a symbol.
#[derive(Clone, Copy, Debug)]
pub struct Relocation {
    /// Offset of the field in its section, bytes.
    pub offset: usize,
    /// How the field is computed.
    pub kind: Kind,
    /// Index into [`Object::symbols`].
    pub symbol: usize,
    /// Added to the symbol's address.
    pub addend: i64,
}

impl Relocation {
    /// Whether it takes the address of the very start of its target, so that for a function the field holds that of its stub.
    #[must_use]
    pub fn takes_entry(&self) -> bool {
        // A field relative to the end of itself carries the addend -4 where its target is the entry.
        let of_entry = if self.kind == Kind::Relative32 { -4 } else { 0 };
        self.kind.takes_address() && self.addend == of_entry
    }
}

/// A checked object file; it borrows the file's bytes.
#[derive(Debug)]
pub struct Object<'a> {
    /// The sections that take part in linking, in file order.
    pub sections: Vec<Section<'a>>,
    /// All symbols, in file order; index 0 is ELF's empty symbol, undefined and without a name.
    pub symbols: Vec<Symbol<'a>>,
    relocations: Vec<Relocation>,
}

impl<'a> Object<'a> {
    /// Reads and checks `file`.
    ///
    /// # Errors
    /// [`ObjectError`]: the file is damaged, foreign, or uses a feature that cells may not use.
    pub fn parse(file: &'a [u8]) -> Result<Self, ObjectError> {
        if file.len() > MAX_SIZE {
            return Err(ObjectError::TooLarge { size: file.len() });
        }
        // First the header alone: nothing else of a foreign or a linked file is looked at.
        let header = Elf::parse_header(file).map_err(ObjectError::Malformed)?;
        if header.e_ident[EI_CLASS] != ELFCLASS64
            || header.e_ident[EI_DATA] != ELFDATA2LSB
            || header.e_machine != EM_X86_64
        {
            return Err(ObjectError::Foreign { machine: header.e_machine });
        }
        if header.e_type != ET_REL || header.e_phnum != 0 {
            return Err(ObjectError::NotRelocatable { elf_type: header.e_type });
        }
        let elf = Elf::parse(file).map_err(ObjectError::Malformed)?;
        let mut object = Self { sections: Vec::new(), symbols: Vec::new(), relocations: Vec::new() };
        let section_of = object.read_sections(file, &elf)?;
        object.read_symbols(&elf, &section_of)?;
        object.read_relocations(file, &elf, &section_of)?;
        Ok(object)
    }

    /// The references that the section at index `section` makes.
    ///
    /// # Panics
    /// If there is no such section.
    #[must_use]
    pub fn relocations(&self, section: usize) -> &[Relocation] {
        &self.relocations[self.sections[section].relocations.clone()]
    }

    /// For each ELF section index the index of our section, if it takes part.
    fn read_sections(&mut self, file: &'a [u8], elf: &Elf<'a>) -> Result<Vec<Option<usize>>, ObjectError> {
        let mut section_of = Vec::with_capacity(elf.section_headers.len());
        let mut size = 0_usize;
        for (index, header) in elf.section_headers.iter().enumerate() {
            let name = elf.shdr_strtab.get_at(header.sh_name).ok_or(ObjectError::SectionName { index })?;
            let Some(kind) = classify(name, header)? else {
                section_of.push(None);
                continue;
            };
            section_of.push(Some(self.sections.len()));
            let section = read_section(file, name, kind, header)?;
            size = size.saturating_add(section.size).saturating_add(section.alignment - 1);
            if size > MAX_SIZE {
                return Err(ObjectError::SectionSize { section: error::Name::new(name) });
            }
            self.sections.push(section);
        }
        Ok(section_of)
    }

    fn read_symbols(&mut self, elf: &Elf<'a>, section_of: &[Option<usize>]) -> Result<(), ObjectError> {
        self.symbols.reserve(elf.syms.len());
        for (index, symbol) in elf.syms.iter().enumerate() {
            let symbol = self.read_symbol(index, &symbol, elf, section_of)?;
            self.symbols.push(symbol);
        }
        Ok(())
    }

    fn read_symbol(
        &self,
        index: usize,
        symbol: &Sym,
        elf: &Elf<'a>,
        section_of: &[Option<usize>],
    ) -> Result<Symbol<'a>, ObjectError> {
        let mut name = elf.strtab.get_at(symbol.st_name).ok_or(ObjectError::SymbolName { index })?;
        let owned = |name: &str| error::Name::new(name);
        let binding = match symbol.st_bind() {
            STB_LOCAL => Binding::Local,
            STB_GLOBAL => Binding::Global,
            STB_WEAK => Binding::Weak,
            binding => return Err(ObjectError::SymbolBinding { symbol: owned(name), binding }),
        };
        // A file symbol (STT_FILE) and absolute symbols stand in no section: they are kept only to keep the indices.
        let section = match symbol.st_shndx {
            SHN_UNDEFINED => None,
            special if special >= SHN_RESERVED => {
                if binding != Binding::Local {
                    return Err(ObjectError::SymbolSection { symbol: owned(name), section: special });
                }
                None
            }
            elf_index => match section_of.get(elf_index) {
                Some(section) => *section,
                None => return Err(ObjectError::SymbolSection { symbol: owned(name), section: elf_index }),
            },
        };
        let mut kind = match symbol.st_type() {
            STT_FUNC => SymbolKind::Function,
            STT_TLS => SymbolKind::Thread,
            STT_SECTION => SymbolKind::Section,
            STT_OBJECT | STT_NOTYPE => SymbolKind::Data,
            _ if binding == Binding::Local => SymbolKind::Data,
            kind => return Err(ObjectError::SymbolKind { symbol: owned(name), kind }),
        };
        let offset = usize::try_from(symbol.st_value).unwrap_or(usize::MAX);
        let size = usize::try_from(symbol.st_size).unwrap_or(usize::MAX);
        if let Some(section) = section {
            let section = &self.sections[section];
            if kind == SymbolKind::Section {
                name = section.name;
            } else if kind == SymbolKind::Data
                && matches!(section.kind, SectionKind::ThreadData | SectionKind::ThreadZero)
            {
                kind = SymbolKind::Thread;
            }
            if !may_hold(section.kind, kind) {
                return Err(ObjectError::SymbolPlace { symbol: owned(name), section: owned(section.name) });
            }
            if offset.checked_add(size).is_none_or(|end| end > section.size) {
                return Err(ObjectError::SymbolBounds { symbol: owned(name), section: owned(section.name) });
            }
        }
        Ok(Symbol { name, kind, binding, definition: section.map(|section| (section, offset)), size })
    }

    fn read_relocations(
        &mut self,
        file: &[u8],
        elf: &Elf<'a>,
        section_of: &[Option<usize>],
    ) -> Result<(), ObjectError> {
        // Tables that do not overlap hold no more than this; those of a damaged file may all lie in one place.
        let most = file.len() / RELOCATION_SIZE;
        for (elf_index, table) in &elf.shdr_relocs {
            let header = &elf.section_headers[*elf_index];
            let target = usize::try_from(header.sh_info).unwrap_or(usize::MAX);
            let Some(&section) = section_of.get(target) else {
                return Err(ObjectError::RelocationTarget { table: *elf_index, section: target });
            };
            let Some(section) = section else { continue };
            if header.sh_type != SHT_RELA || !self.sections[section].relocations.is_empty() {
                return Err(ObjectError::RelocationTable { section: error::Name::new(self.sections[section].name) });
            }
            let first = self.relocations.len();
            if table.len() > most - first {
                return Err(ObjectError::RelocationOverlap { section: error::Name::new(self.sections[section].name) });
            }
            for relocation in table {
                let relocation = self.check_relocation(section, &relocation)?;
                self.relocations.push(relocation);
            }
            self.sections[section].relocations = first..self.relocations.len();
        }
        Ok(())
    }

    fn check_relocation(&self, section: usize, relocation: &Reloc) -> Result<Relocation, ObjectError> {
        let section = &self.sections[section];
        let name = || error::Name::new(section.name);
        let kind = Kind::from_elf(relocation.r_type)
            .ok_or_else(|| ObjectError::RelocationKind { section: name(), elf_type: relocation.r_type })?;
        let offset = usize::try_from(relocation.r_offset).unwrap_or(usize::MAX);
        if offset.checked_add(kind.width()).is_none_or(|end| end > section.bytes.len()) {
            return Err(ObjectError::RelocationBounds { section: name(), offset: relocation.r_offset });
        }
        if relocation.r_sym == 0 || relocation.r_sym >= self.symbols.len() {
            return Err(ObjectError::RelocationSymbol { section: name(), symbol: relocation.r_sym });
        }
        Ok(Relocation { offset, kind, symbol: relocation.r_sym, addend: relocation.r_addend.unwrap_or(0) })
    }
}

/// Whether a section of this kind may define a symbol of that one: functions are code, and a thread local's address is
/// of another kind than all others.
fn may_hold(section: SectionKind, symbol: SymbolKind) -> bool {
    let code = matches!(section, SectionKind::Text | SectionKind::Boot);
    let thread = matches!(section, SectionKind::ThreadData | SectionKind::ThreadZero);
    match symbol {
        SymbolKind::Function => code,
        SymbolKind::Thread => thread,
        SymbolKind::Data => !thread,
        SymbolKind::Section => true,
    }
}

/// The content of the section, `None` if it takes no part in linking.
fn classify(name: &str, header: &SectionHeader) -> Result<Option<SectionKind>, ObjectError> {
    let flag = |flag: u32| header.sh_flags & u64::from(flag) != 0;
    let unsupported = || ObjectError::UnsupportedSection { section: error::Name::new(name), elf_type: header.sh_type };
    if !flag(SHF_ALLOC) {
        return Ok(None);
    }
    let zeroed = match header.sh_type {
        SHT_PROGBITS | SHT_X86_64_UNWIND => false,
        SHT_NOBITS => true,
        _ => return Err(unsupported()),
    };
    Ok(Some(match (flag(SHF_EXECINSTR), flag(SHF_WRITE), flag(SHF_TLS)) {
        (true, true, false) if name == ".boot" && !zeroed => SectionKind::Boot,
        (true, true, _) => return Err(ObjectError::WritableText { section: error::Name::new(name) }),
        (true, false, false) if !zeroed => SectionKind::Text,
        (false, true, true) => {
            if zeroed {
                SectionKind::ThreadZero
            } else {
                SectionKind::ThreadData
            }
        }
        (false, true, false) => {
            if zeroed {
                SectionKind::Zero
            } else {
                SectionKind::Data
            }
        }
        (false, false, false) if !zeroed => {
            if name == ".eh_frame" {
                SectionKind::Frames
            } else {
                SectionKind::Constants
            }
        }
        _ => return Err(unsupported()),
    }))
}

fn read_section<'a>(
    file: &'a [u8],
    name: &'a str,
    kind: SectionKind,
    header: &SectionHeader,
) -> Result<Section<'a>, ObjectError> {
    let bounds = || ObjectError::SectionBounds { section: error::Name::new(name) };
    let alignment = usize::try_from(header.sh_addralign.max(1)).unwrap_or(usize::MAX);
    if !alignment.is_power_of_two() || alignment > MAX_ALIGNMENT {
        return Err(ObjectError::Alignment { section: error::Name::new(name), alignment: header.sh_addralign });
    }
    let size = usize::try_from(header.sh_size).map_err(|_| bounds())?;
    let zeroed = matches!(kind, SectionKind::Zero | SectionKind::ThreadZero);
    let bytes = if zeroed {
        &[]
    } else {
        let start = usize::try_from(header.sh_offset).map_err(|_| bounds())?;
        let end = start.checked_add(size).ok_or_else(bounds)?;
        file.get(start..end).ok_or_else(bounds)?
    };
    Ok(Section { name, kind, size, alignment, bytes, relocations: 0..0 })
}
