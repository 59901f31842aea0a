//! What must hold for any bytes that come from outside: readers refuse or accept, and never panic; and what they accept
//! keeps the promises that the code behind them builds on.

use layout::Layout;
use object::Object;

/// Reads an object as the loader does.
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
    let _ = Layout::new(&object);
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
