//! Why a file is not a cell's object.

use alloc::string::String;
use core::fmt;

use crate::MAX_SIZE;

/// A name from the file, owned so that the error outlives the file's bytes. Shown with unprintable characters escaped,
/// because the name of a damaged file may be anything.
#[derive(Clone, PartialEq, Eq)]
pub struct Name(String);

/// Names of no more bytes are kept whole.
const LONGEST_NAME: usize = 512;

impl Name {
    /// Keeps `name`, its start if it is very long.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(String::from(&name[..name.floor_char_boundary(LONGEST_NAME)]))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.escape_debug())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.escape_debug())
    }
}

/// Why a file is not a cell's object.
#[derive(Debug)]
#[expect(missing_docs, reason = "the message of each variant in Display says it, the field names are those of ELF")]
pub enum ObjectError {
    Malformed(goblin::error::Error),
    Foreign { machine: u16 },
    NotRelocatable { elf_type: u16 },
    TooLarge { size: usize },
    SectionName { index: usize },
    SectionBounds { section: Name },
    SectionSize { section: Name },
    UnsupportedSection { section: Name, elf_type: u32 },
    WritableText { section: Name },
    Alignment { section: Name, alignment: u64 },
    SymbolName { index: usize },
    SymbolBinding { symbol: Name, binding: u8 },
    SymbolKind { symbol: Name, kind: u8 },
    SymbolSection { symbol: Name, section: usize },
    SymbolPlace { symbol: Name, section: Name },
    SymbolBounds { symbol: Name, section: Name },
    RelocationTarget { table: usize, section: usize },
    RelocationTable { section: Name },
    RelocationOverlap { section: Name },
    RelocationKind { section: Name, elf_type: u32 },
    RelocationBounds { section: Name, offset: u64 },
    RelocationSymbol { section: Name, symbol: usize },
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not a readable ELF file: {error}"),
            Self::Foreign { machine } => {
                write!(f, "not for x86_64 with 64 bits and little-endian numbers (ELF machine {machine})")
            }
            Self::NotRelocatable { elf_type } => write!(f, "not a relocatable object (ELF type {elf_type})"),
            Self::TooLarge { size } => {
                write!(f, "{size} bytes are more than an object may have ({MAX_SIZE})")
            }
            Self::SectionName { index } => write!(f, "section {index} has no readable name"),
            Self::SectionBounds { section } => write!(f, "section {section} reaches outside the file"),
            Self::SectionSize { section } => {
                write!(f, "section {section} and those before it need more than {MAX_SIZE} bytes of memory")
            }
            Self::UnsupportedSection { section, elf_type } => {
                write!(f, "section {section} has a type that cells may not have (ELF type {elf_type:#x})")
            }
            Self::WritableText { section } => write!(f, "section {section} is writable and executable"),
            Self::Alignment { section, alignment } => {
                write!(f, "section {section} asks for an alignment of {alignment}, not a power of two up to a page")
            }
            Self::SymbolName { index } => write!(f, "symbol {index} has no readable name"),
            Self::SymbolBinding { symbol, binding } => write!(f, "symbol {symbol} has unknown binding {binding}"),
            Self::SymbolKind { symbol, kind } => write!(f, "symbol {symbol} has unknown type {kind}"),
            Self::SymbolSection { symbol, section } => {
                write!(f, "symbol {symbol} is in section {section}, which does not exist or is not allowed")
            }
            Self::SymbolPlace { symbol, section } => {
                write!(f, "symbol {symbol} is of a type that section {section} may not hold")
            }
            Self::SymbolBounds { symbol, section } => write!(f, "symbol {symbol} reaches outside section {section}"),
            Self::RelocationTarget { table, section } => {
                write!(f, "relocation table {table} is for section {section}, which does not exist")
            }
            Self::RelocationTable { section } => {
                write!(f, "section {section} has two relocation tables, or one without addends")
            }
            Self::RelocationOverlap { section } => {
                write!(f, "the relocation table of section {section} lies over that of another one")
            }
            Self::RelocationKind { section, elf_type } => {
                write!(f, "section {section} has a relocation of ELF type {elf_type}, which cells may not carry")
            }
            Self::RelocationBounds { section, offset } => {
                write!(f, "section {section} has a relocation at {offset:#x}, outside its bytes")
            }
            Self::RelocationSymbol { section, symbol } => {
                write!(f, "section {section} refers to symbol {symbol}, which does not exist")
            }
        }
    }
}

impl core::error::Error for ObjectError {}
