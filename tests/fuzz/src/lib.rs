//! What must hold for any bytes that come from outside: readers refuse or accept, and never panic; and what they accept
//! keeps the promises that the code behind them builds on.
//!
//! One function for each reader, which has a target in `fuzz_targets` for the coverage-guided engine and a bounded search
//! with fixed seeds in `tests/mutations.rs`, which `make test` carries out.

mod tables;
mod typed;

pub use tables::{BASE, ROOT, TABLES, acpi, boot, multiboot, multiboot_information, platform};
pub use typed::typed;

use layout::Layout;
use linker::{Address, Bases, CellId, Function, Global, Index, Input, Names, Stubs};
use manifest::{CellDetails, Manifest, SeedMap};
use object::{Object, SymbolKind};

/// Bases as cells have them: in the top 2 GiB.
const BASES: u64 = 0xffff_ffff_a000_0000;

/// Reads an object as the loader does, and links it.
///
/// # Panics
/// If the reader accepted an object that breaks a promise.
pub fn object(bytes: &[u8]) {
    let Ok(object) = Object::parse(bytes) else { return };
    for (index, section) in object.sections.iter().enumerate() {
        assert!(section.alignment.is_power_of_two() && section.alignment <= object::MAX_ALIGNMENT);
        assert!(section.bytes.is_empty() || section.bytes.len() == section.size);
        for relocation in object.relocations(index) {
            assert!(relocation.offset + relocation.kind.width() <= section.bytes.len());
            assert!(relocation.symbol < object.symbols.len());
        }
    }
    for symbol in &object.symbols {
        if let Some((section, offset)) = symbol.definition {
            assert!(offset + symbol.size <= object.sections[section].size);
        }
    }
    link(&object);
}

/// Reads the list of the files that an emulator gives to its guest.
///
/// # Panics
/// If the reader accepted an entry that breaks a promise.
pub fn firmware(bytes: &[u8]) {
    let files = firmware_directory::entries(bytes);
    assert!(files.len() <= firmware_directory::count(bytes));
    assert!(files.len() * firmware_directory::ENTRY_SIZE <= bytes.len());
    assert!(files.iter().all(|file| !file.name().contains('\0')));
}

/// A namespace in which every name is a function somewhere, but for the object's own.
struct Everything<'a> {
    own: &'a Index,
    other: Global,
}

impl Names for Everything<'_> {
    fn find(&self, name: &str) -> Option<&Global> {
        Some(self.own.get(name).unwrap_or(&self.other))
    }
}

/// As many stubs as anybody wants, one after the other.
struct Endless(u64);

impl Stubs for Endless {
    fn stub(&mut self, _: Function, entry: u64) -> Option<u64> {
        self.0 += linker::STUB_SIZE as u64;
        let _ = linker::stub(self.0, entry);
        Some(self.0)
    }
}

/// Links an object that was accepted; whether it can be linked is its own business, but what is written lies in it.
fn link(object: &Object<'_>) {
    let layout = Layout::new(object);
    let [text, constants, data] = [0, 1, 2].map(|number| Address::new(BASES + (number << 24)));
    let bases = Bases { text, constants, data, boot: 0x10_0000, thread: 0x1000 };
    let input = Input { cell: CellId(1), object, layout: &layout, bases };
    let mut own = Index::new();
    if linker::exports(&input, &mut own).is_err() {
        return;
    }
    let other = Global {
        cell: CellId(0),
        symbol: 1,
        section: 0,
        offset: 0,
        address: Address::new(BASES - 0x1000),
        kind: SymbolKind::Function,
        weak: false,
    };
    let write = &mut |section: usize, offset: usize, bytes: &[u8]| {
        assert!(offset + bytes.len() <= object.sections[section].bytes.len());
    };
    let names = Everything { own: &own, other };
    if let Ok(references) = linker::link(&input, &names, &mut Endless(BASES - 0x10_0000), write) {
        assert!(references.iter().all(|reference| reference.cell == CellId(0)));
    }
}

/// Reads an archive and everything in it, as the boot does.
///
/// # Panics
/// If a reader panics; there is nothing else to promise, for every blob has a digest.
pub fn archive(bytes: &[u8]) {
    let Ok(archive) = archive::Archive::parse(bytes) else { return };
    for cell in &archive.manifest().cells {
        if let Ok(bytes) = archive.object(cell) {
            object(&bytes);
        }
        let _ = archive.details(cell);
    }
}

/// Reads the contents of an archive behind its digests: an author of digests can write these, too.
///
/// # Panics
/// If a reader panics.
pub fn manifest(bytes: &[u8]) {
    let _ = postcard::from_bytes::<SeedMap>(bytes);
    let _ = postcard::from_bytes::<CellDetails>(bytes);
    let Ok(manifest) = postcard::from_bytes::<Manifest>(bytes) else { return };
    if let Ok((bytes, _)) = archive::Packer::new().finish(&manifest) {
        archive(&bytes);
    }
}
