//! Just enough of the ELF format to damage an object where it hurts.
//!
//! Source: System V ABI, chapter 4 (object files), in its 64-bit little-endian form.

use alloc::{string::String, vec::Vec};

pub(crate) const SHT_PROGBITS: u32 = 1;
const SHT_SYMTAB: u32 = 2;
pub(crate) const SHT_RELA: u32 = 4;
pub(crate) const SHT_NOBITS: u32 = 8;
pub(crate) const SHT_REL: u32 = 9;
const SHT_X86_64_UNWIND: u32 = 0x7000_0001;
pub(crate) const SHT_INIT_ARRAY: u32 = 14;
pub(crate) const WRITE: u64 = 1;
pub(crate) const ALLOCATE: u64 = 2;
pub(crate) const EXECUTE: u64 = 4;
pub(crate) const THREAD: u64 = 0x400;
pub(crate) const R_PC32: u32 = 2;
pub(crate) const R_PLT32: u32 = 4;
pub(crate) const R_TPOFF32: u32 = 23;

/// Bytes of a header, a symbol, a relocation.
const HEADER: usize = 64;
const SYMBOL: usize = 24;
const RELOCATION: usize = 24;

/// A field: offset in its record, and bytes.
#[derive(Clone, Copy)]
pub(crate) struct Field(usize, usize);

/// Of the file's header.
pub(crate) const CLASS: Field = Field(4, 1);
pub(crate) const BYTE_ORDER: Field = Field(5, 1);
pub(crate) const FILE_TYPE: Field = Field(16, 2);
pub(crate) const MACHINE: Field = Field(18, 2);
pub(crate) const PROGRAM_HEADERS: Field = Field(56, 2);
const SECTION_TABLE: Field = Field(40, 8);
const SECTION_COUNT: Field = Field(60, 2);
const SECTION_NAMES: Field = Field(62, 2);
/// Of a section's header.
const SECTION_NAME: Field = Field(0, 4);
pub(crate) const SECTION_TYPE: Field = Field(4, 4);
pub(crate) const SECTION_FLAGS: Field = Field(8, 8);
pub(crate) const SECTION_OFFSET: Field = Field(24, 8);
pub(crate) const SECTION_SIZE: Field = Field(32, 8);
const SECTION_LINK: Field = Field(40, 4);
pub(crate) const SECTION_INFO: Field = Field(44, 4);
pub(crate) const SECTION_ALIGNMENT: Field = Field(48, 8);
/// Of a symbol.
pub(crate) const SYMBOL_NAME: Field = Field(0, 4);
pub(crate) const SYMBOL_INFO: Field = Field(4, 1);
pub(crate) const SYMBOL_SECTION: Field = Field(6, 2);
pub(crate) const SYMBOL_VALUE: Field = Field(8, 8);
/// Of a relocation.
pub(crate) const RELOCATION_OFFSET: Field = Field(0, 8);
pub(crate) const RELOCATION_TYPE: Field = Field(8, 4);
pub(crate) const RELOCATION_SYMBOL: Field = Field(12, 4);
pub(crate) const RELOCATION_ADDEND: Field = Field(16, 8);

/// A record in the file, by the place where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record(pub(crate) usize);

/// The file's header.
pub(crate) const FILE: Record = Record(0);

/// An object that was sound when it was taken from the archive.
#[derive(Clone)]
pub(crate) struct Elf {
    pub(crate) bytes: Vec<u8>,
}

impl Elf {
    /// The number in `field` of `record`; 0 outside the file.
    pub(crate) fn get(&self, record: Record, field: Field) -> u64 {
        let start = record.0 + field.0;
        let bytes = self.bytes.get(start..start + field.1).unwrap_or_default();
        bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    /// Changes `field` of `record`.
    pub(crate) fn put(&mut self, record: Record, field: Field, value: u64) {
        let start = record.0 + field.0;
        if let Some(place) = self.bytes.get_mut(start..start + field.1) {
            place.copy_from_slice(&value.to_le_bytes()[..field.1]);
        }
    }

    /// As an index into the file.
    fn index(&self, record: Record, field: Field) -> usize {
        usize::try_from(self.get(record, field)).unwrap_or(usize::MAX)
    }

    /// The header of section `number`.
    pub(crate) fn section(&self, number: usize) -> Record {
        Record(self.index(FILE, SECTION_TABLE) + number * HEADER)
    }

    /// All headers of sections.
    pub(crate) fn sections(&self) -> impl Iterator<Item = Record> {
        (0..self.index(FILE, SECTION_COUNT)).map(|number| self.section(number))
    }

    /// The first section with `type`, exactly `flags` and a name that starts with `prefix`, and which is not empty.
    pub(crate) fn find(&self, section_type: u32, flags: u64, prefix: &str) -> Option<Record> {
        self.sections().find(|&section| {
            self.get(section, SECTION_TYPE) == section_type.into()
                && self.get(section, SECTION_FLAGS) == flags
                && self.get(section, SECTION_SIZE) > 0
                && self.section_name(section).starts_with(prefix)
        })
    }

    /// The records of `size` bytes in `section`.
    fn records(&self, section: Record, size: usize) -> impl Iterator<Item = Record> + use<> {
        let start = self.index(section, SECTION_OFFSET);
        (0..self.index(section, SECTION_SIZE) / size).map(move |number| Record(start + number * size))
    }

    fn text(&self, table: Record, offset: usize) -> String {
        let start = self.index(table, SECTION_OFFSET) + offset;
        let bytes = self.bytes.get(start..).unwrap_or_default();
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }

    pub(crate) fn section_name(&self, section: Record) -> String {
        let table = self.section(self.index(FILE, SECTION_NAMES));
        self.text(table, self.index(section, SECTION_NAME))
    }

    /// The table of symbols.
    pub(crate) fn symbol_table(&self) -> Option<Record> {
        self.sections().find(|&section| self.get(section, SECTION_TYPE) == SHT_SYMTAB.into())
    }

    pub(crate) fn symbol_name(&self, symbol: Record) -> String {
        let Some(symbols) = self.symbol_table() else { return String::new() };
        self.text(self.section(self.index(symbols, SECTION_LINK)), self.index(symbol, SYMBOL_NAME))
    }

    /// The global symbols that are defined here, or those that are not.
    pub(crate) fn globals(&self, defined: bool) -> Vec<Record> {
        let Some(symbols) = self.symbol_table() else { return Vec::new() };
        let fits = |&symbol: &Record| {
            self.get(symbol, SYMBOL_INFO) >> 4 == 1 && (self.get(symbol, SYMBOL_SECTION) != 0) == defined
        };
        self.records(symbols, SYMBOL).filter(fits).collect()
    }

    /// The frame descriptions.
    pub(crate) fn frames(&self) -> Option<Record> {
        self.find(SHT_X86_64_UNWIND, ALLOCATE, ".eh_frame")
    }

    /// The tables of relocations.
    pub(crate) fn tables(&self) -> impl Iterator<Item = Record> {
        self.sections().filter(|&section| self.get(section, SECTION_TYPE) == SHT_RELA.into())
    }

    /// The section that the relocations of `table` are for.
    pub(crate) fn target(&self, table: Record) -> Record {
        self.section(self.index(table, SECTION_INFO))
    }

    /// The relocations of `table`.
    pub(crate) fn relocations(&self, table: Record) -> impl Iterator<Item = Record> + use<> {
        self.records(table, RELOCATION)
    }

    /// The symbol that `relocation` refers to.
    pub(crate) fn symbol_of(&self, relocation: Record) -> Option<Record> {
        self.records(self.symbol_table()?, SYMBOL).nth(self.index(relocation, RELOCATION_SYMBOL))
    }

    /// The first relocation of `relocation_type` to a symbol that is global and defined elsewhere, in the table of a
    /// section of code: name of that section, name of the symbol, and the relocation.
    pub(crate) fn reference(&self, relocation_type: u32) -> Option<(String, String, Record)> {
        let wanted = self.globals(false);
        self.tables().find_map(|table| {
            let section = self.target(table);
            if self.get(section, SECTION_FLAGS) != ALLOCATE | EXECUTE {
                return None;
            }
            self.relocations(table).find_map(|relocation| {
                let symbol = self.symbol_of(relocation)?;
                let fits = self.get(relocation, RELOCATION_TYPE) == relocation_type.into() && wanted.contains(&symbol);
                fits.then(|| (self.section_name(section), self.symbol_name(symbol), relocation))
            })
        })
    }
}
