//! Objects with one thing wrong each, and the errors that the loader must give for them.

use alloc::{format, string::String, vec::Vec};

use namespace::{LinkErrorKind, LoadError, ObjectError, Scope};
use self_check::{CheckError, Outcome};

use crate::{
    Unexpected,
    census::Watch,
    elf::{
        ALLOCATE, EXECUTE, Elf, R_PC32, R_PLT32, R_TPOFF32, RELOCATION_ADDEND, RELOCATION_OFFSET, RELOCATION_SYMBOL,
        RELOCATION_TYPE, Record, SECTION_ALIGNMENT, SECTION_FLAGS, SECTION_INFO, SECTION_OFFSET, SECTION_SIZE,
        SECTION_TYPE, SHT_INIT_ARRAY, SHT_NOBITS, SHT_PROGBITS, SHT_REL, SYMBOL_INFO, SYMBOL_NAME, SYMBOL_SECTION,
        SYMBOL_VALUE, THREAD, WRITE,
    },
};

/// A small application that is not running.
pub(crate) const APPLICATION: &str = "uptime";

/// A cell of the kernel with many functions.
pub(crate) const KERNEL: &str = "vfs";

/// The object of `cell` from the archive.
pub(crate) fn sound(cell: &str) -> Result<Elf, CheckError> {
    Ok(Elf { bytes: Vec::from(&*namespace::archived_object(cell)?) })
}

fn need<T>(part: Option<T>) -> Result<T, CheckError> {
    part.ok_or_else(|| Unexpected::Unsuitable.into())
}

/// Whether an error is the one.
type Fits = fn(&LoadError) -> bool;

macro_rules! object_error {
    ($pattern:pat) => {
        |error| matches!(error, LoadError::Object { error: $pattern, .. })
    };
}

macro_rules! link_error {
    ($pattern:pat) => {
        |error| matches!(error, LoadError::Link { error, .. } if matches!(error.kind, $pattern))
    };
}

/// Changes the sound object of `cell`, and fails unless the loader refuses the result as it must: `change` returns the
/// word that the message has to contain.
fn refused(
    watch: &Watch,
    (damage, cell, scope): (&str, &str, Scope),
    fits: Fits,
    change: impl FnOnce(&mut Elf) -> Option<Vec<String>>,
) -> Outcome {
    let mut elf = sound(cell)?;
    let names = need(change(&mut elf))?;
    let mut words: Vec<&str> = names.iter().map(String::as_str).collect();
    words.push(cell);
    watch.refused(damage, (cell, &elf.bytes, scope), fits, &words)
}

/// A change of one field of a section of constants.
fn with_constants(change: impl FnOnce(&mut Elf, Record)) -> impl FnOnce(&mut Elf) -> Option<Vec<String>> {
    move |elf| {
        let section = elf.find(SHT_PROGBITS, ALLOCATE, ".rodata")?;
        change(elf, section);
        Some(Vec::from([elf.section_name(section)]))
    }
}

/// A change of a section of code.
fn with_text(change: impl FnOnce(&mut Elf, Record)) -> impl FnOnce(&mut Elf) -> Option<Vec<String>> {
    move |elf| {
        let section = elf.find(SHT_PROGBITS, ALLOCATE | EXECUTE, ".text")?;
        change(elf, section);
        Some(Vec::from([elf.section_name(section)]))
    }
}

pub(crate) fn sections() -> Outcome {
    let watch = Watch::new();
    let here = |damage| (damage, APPLICATION, Scope::Private);
    refused(
        &watch,
        here("writable code"),
        object_error!(ObjectError::WritableText { .. }),
        with_text(|elf, section| elf.put(section, SECTION_FLAGS, ALLOCATE | EXECUTE | WRITE)),
    )?;
    refused(
        &watch,
        here("code without bytes"),
        object_error!(ObjectError::UnsupportedSection { .. }),
        with_text(|elf, section| elf.put(section, SECTION_TYPE, SHT_NOBITS.into())),
    )?;
    refused(
        &watch,
        here("a section of another type"),
        object_error!(ObjectError::UnsupportedSection { .. }),
        with_constants(|elf, section| elf.put(section, SECTION_TYPE, SHT_INIT_ARRAY.into())),
    )?;
    for offset in [1 << 20, u64::MAX, u64::MAX - 8] {
        refused(
            &watch,
            here("a section outside the file"),
            object_error!(ObjectError::SectionBounds { .. }),
            with_constants(|elf, section| elf.put(section, SECTION_OFFSET, offset)),
        )?;
    }
    for alignment in [3, 8192, 1 << 63, u64::MAX] {
        refused(
            &watch,
            here("an impossible alignment"),
            object_error!(ObjectError::Alignment { .. }),
            with_constants(|elf, section| elf.put(section, SECTION_ALIGNMENT, alignment)),
        )?;
    }
    watch.finish()
}

pub(crate) fn sizes() -> Outcome {
    let watch = Watch::new();
    let here = |damage| (damage, APPLICATION, Scope::Private);
    for size in [1 << 20, 1 << 40, u64::MAX] {
        refused(
            &watch,
            here("a section longer than the file"),
            object_error!(ObjectError::SectionBounds { .. }),
            with_constants(|elf, section| elf.put(section, SECTION_SIZE, size)),
        )?;
    }
    for size in [(16 << 20) + 1, 0x7fff_ffff, 0xffff_ffff, 1 << 40, u64::MAX >> 1, u64::MAX] {
        refused(
            &watch,
            here("a huge section of zeros"),
            object_error!(ObjectError::SectionSize { .. }),
            with_constants(|elf, section| {
                elf.put(section, SECTION_TYPE, SHT_NOBITS.into());
                elf.put(section, SECTION_FLAGS, ALLOCATE | WRITE);
                elf.put(section, SECTION_SIZE, size);
            }),
        )?;
    }
    watch.finish()
}

pub(crate) fn thread_locals() -> Outcome {
    let watch = Watch::new();
    for size in [65_537, 1 << 20] {
        refused(
            &watch,
            ("too many thread locals", APPLICATION, Scope::Private),
            |error| matches!(error, LoadError::ThreadLocals { .. }),
            |elf| {
                let section = elf.find(SHT_PROGBITS, ALLOCATE, ".rodata")?;
                elf.put(section, SECTION_TYPE, SHT_NOBITS.into());
                elf.put(section, SECTION_FLAGS, ALLOCATE | WRITE | THREAD);
                elf.put(section, SECTION_SIZE, size);
                Some(Vec::from([format!("{size} bytes")]))
            },
        )?;
    }
    watch.finish()
}

/// A change of a global symbol that the object defines.
fn with_definition(change: impl FnOnce(&mut Elf, Record)) -> impl FnOnce(&mut Elf) -> Option<Vec<String>> {
    move |elf| {
        let symbol = *elf.globals(true).first()?;
        change(elf, symbol);
        Some(Vec::from([elf.symbol_name(symbol)]))
    }
}

pub(crate) fn symbols() -> Outcome {
    const GLOBAL: u64 = 1 << 4;
    const THREAD_LOCAL: u64 = 6;
    const INDIRECT: u64 = 10;
    let watch = Watch::new();
    let here = |damage| (damage, APPLICATION, Scope::Private);
    for value in [1 << 20, 1 << 40, u64::MAX] {
        refused(
            &watch,
            here("a symbol outside its section"),
            object_error!(ObjectError::SymbolBounds { .. }),
            with_definition(|elf, symbol| elf.put(symbol, SYMBOL_VALUE, value)),
        )?;
    }
    for section in [0x4000, 0xfff1, 0xfff2, 0xffff] {
        refused(
            &watch,
            here("a symbol in no section"),
            object_error!(ObjectError::SymbolSection { .. }),
            with_definition(|elf, symbol| elf.put(symbol, SYMBOL_SECTION, section)),
        )?;
    }
    refused(
        &watch,
        here("an indirect function"),
        object_error!(ObjectError::SymbolKind { .. }),
        with_definition(|elf, symbol| elf.put(symbol, SYMBOL_INFO, GLOBAL | INDIRECT)),
    )?;
    refused(
        &watch,
        here("a symbol that is neither local nor global"),
        object_error!(ObjectError::SymbolBinding { .. }),
        with_definition(|elf, symbol| elf.put(symbol, SYMBOL_INFO, 10 << 4)),
    )?;
    refused(
        &watch,
        here("a thread local in code"),
        object_error!(ObjectError::SymbolPlace { .. }),
        with_definition(|elf, symbol| elf.put(symbol, SYMBOL_INFO, GLOBAL | THREAD_LOCAL)),
    )?;
    refused(&watch, here("a symbol without a name"), object_error!(ObjectError::SymbolName { .. }), |elf| {
        let symbol = *elf.globals(true).first()?;
        elf.put(symbol, SYMBOL_NAME, 0x00ff_ffff);
        Some(Vec::new())
    })?;
    watch.finish()
}

pub(crate) fn undefined() -> Outcome {
    let watch = Watch::new();
    for cell in [APPLICATION, KERNEL] {
        refused(
            &watch,
            ("a name that nobody has", cell, Scope::Private),
            link_error!(LinkErrorKind::Undefined),
            |elf| {
                let (section, symbol, relocation) = elf.reference(R_PLT32)?;
                // The name without its first letter.
                let record = elf.symbol_of(relocation)?;
                elf.put(record, SYMBOL_NAME, elf.get(record, SYMBOL_NAME) + 1);
                Some(Vec::from([section, format!("`{}`", symbol.get(1..)?)]))
            },
        )?;
    }
    watch.finish()
}

pub(crate) fn defined_twice() -> Outcome {
    let watch = Watch::new();
    let fits: Fits = |error| matches!(error, LoadError::Duplicate { .. });
    refused(&watch, ("one name for two functions", KERNEL, Scope::Private), fits, |elf| {
        let [first, second, ..] = *elf.globals(true) else { return None };
        elf.put(second, SYMBOL_NAME, elf.get(first, SYMBOL_NAME));
        Some(Vec::from([elf.symbol_name(first)]))
    })?;
    watch.finish()
}

pub(crate) fn defined_elsewhere() -> Outcome {
    let watch = Watch::new();
    let fits: Fits = |error| matches!(error, LoadError::Duplicate { .. });
    refused(&watch, ("the name of another cell's function", APPLICATION, Scope::Shared), fits, |elf| {
        let definition = *elf.globals(true).first()?;
        let (_, symbol, relocation) = elf.reference(R_PLT32)?;
        let taken = elf.symbol_of(relocation)?;
        elf.put(definition, SYMBOL_NAME, elf.get(taken, SYMBOL_NAME));
        let owner = namespace::symbols(&symbol, 1).first()?.cell.clone();
        Some(Vec::from([symbol, format!("by cell {owner}")]))
    })?;
    watch.finish()
}

pub(crate) fn relocation_tables() -> Outcome {
    let watch = Watch::new();
    let here = |damage| (damage, KERNEL, Scope::Private);
    refused(&watch, here("a table for no section"), object_error!(ObjectError::RelocationTarget { .. }), |elf| {
        let table = elf.tables().next()?;
        elf.put(table, SECTION_INFO, 0x7fff);
        Some(Vec::new())
    })?;
    refused(&watch, here("two tables for a section"), object_error!(ObjectError::RelocationTable { .. }), |elf| {
        let mut tables = elf.tables();
        let (first, second) = (tables.next()?, tables.next()?);
        drop(tables);
        // The first is as it should be, so that the second is the one too many.
        elf.put(second, SECTION_INFO, elf.get(first, SECTION_INFO));
        Some(Vec::from([elf.section_name(elf.target(first))]))
    })?;
    refused(&watch, here("a table without addends"), object_error!(ObjectError::RelocationTable { .. }), |elf| {
        let table = elf.tables().next()?;
        elf.put(table, SECTION_TYPE, SHT_REL.into());
        Some(Vec::from([elf.section_name(elf.target(table))]))
    })?;
    // All tables in one place: reading them all would take time and memory without proportion to the file.
    refused(&watch, here("tables upon each other"), object_error!(ObjectError::RelocationOverlap { .. }), |elf| {
        const COPIES: usize = 500;
        let (start, tables) = (elf.bytes.len() as u64, elf.tables().collect::<Vec<_>>());
        let entry = [0_u64, 1 << 32 | u64::from(R_PC32), 0].map(u64::to_le_bytes).concat();
        elf.bytes.extend_from_slice(&entry.repeat(COPIES));
        for table in tables {
            elf.put(table, SECTION_OFFSET, start);
            elf.put(table, SECTION_SIZE, (COPIES * entry.len()) as u64);
        }
        Some(Vec::new())
    })?;
    watch.finish()
}

/// A change of a direct call of another cell's function; the message must name the calling section and, if `symbol`, the
/// function.
fn with_call(symbol: bool, change: impl FnOnce(&mut Elf, Record)) -> impl FnOnce(&mut Elf) -> Option<Vec<String>> {
    move |elf| {
        let (section, name, relocation) = elf.reference(R_PLT32)?;
        change(elf, relocation);
        let mut words = Vec::from([section]);
        words.extend(symbol.then_some(name));
        Some(words)
    }
}

pub(crate) fn relocation_kinds() -> Outcome {
    let watch = Watch::new();
    for cell in [APPLICATION, KERNEL] {
        let here = |damage| (damage, cell, Scope::Private);
        // None, COPY, RELATIVE, GOTPCREL, 32, 16, 8, TLSGD, GOTTPOFF, IRELATIVE, and one that does not exist.
        for kind in [0, 5, 8, 9, 10, 12, 14, 19, 22, 37, 250] {
            refused(
                &watch,
                here("a relocation of another kind"),
                object_error!(ObjectError::RelocationKind { .. }),
                with_call(false, |elf, relocation| elf.put(relocation, RELOCATION_TYPE, kind)),
            )?;
        }
        for offset in [1 << 20, 1 << 40, u64::MAX, u64::MAX - 3] {
            refused(
                &watch,
                here("a relocation outside its section"),
                object_error!(ObjectError::RelocationBounds { .. }),
                with_call(false, |elf, relocation| elf.put(relocation, RELOCATION_OFFSET, offset)),
            )?;
        }
        for symbol in [0, 0x0fff_ffff, 0xffff_ffff] {
            refused(
                &watch,
                here("a relocation for no symbol"),
                object_error!(ObjectError::RelocationSymbol { .. }),
                with_call(false, |elf, relocation| elf.put(relocation, RELOCATION_SYMBOL, symbol)),
            )?;
        }
        refused(
            &watch,
            here("a function called as a thread local"),
            link_error!(LinkErrorKind::ThreadLocalMismatch),
            with_call(true, |elf, relocation| elf.put(relocation, RELOCATION_TYPE, R_TPOFF32.into())),
        )?;
    }
    watch.finish()
}

pub(crate) fn out_of_reach() -> Outcome {
    let watch = Watch::new();
    for addend in [1 << 32, 1 << 62, i64::MAX.cast_unsigned(), i64::MIN.cast_unsigned()] {
        refused(
            &watch,
            ("a call of 2 GiB and more", APPLICATION, Scope::Private),
            link_error!(LinkErrorKind::Overflow(_)),
            with_call(true, |elf, relocation| elf.put(relocation, RELOCATION_ADDEND, addend)),
        )?;
    }
    watch.finish()
}

pub(crate) fn frames() -> Outcome {
    let watch = Watch::new();
    let here = |damage| (damage, APPLICATION, Scope::Private);
    let fits: Fits = |error| matches!(error, LoadError::Frames { .. });
    // The first word is a length, the ninth byte a version.
    for (damage, offset, byte) in
        [("a description without an end", 2, 0xff), ("a description of another version", 8, 0x55)]
    {
        refused(&watch, here(damage), fits, |elf| {
            let section = elf.frames()?;
            let start = usize::try_from(elf.get(section, SECTION_OFFSET)).ok()?;
            *elf.bytes.get_mut(start + offset)? = byte;
            Some(Vec::new())
        })?;
    }
    for distance in [1_u64 << 20, (1_u64 << 20).wrapping_neg()] {
        refused(&watch, here("a description of other text"), fits, |elf| {
            let section = elf.frames()?;
            let table = elf.tables().find(|&table| elf.target(table) == section)?;
            let relocation = elf.relocations(table).next()?;
            elf.put(relocation, RELOCATION_ADDEND, elf.get(relocation, RELOCATION_ADDEND).wrapping_add(distance));
            Some(Vec::new())
        })?;
    }
    watch.finish()
}
