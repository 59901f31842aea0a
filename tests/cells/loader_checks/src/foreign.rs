//! Files that are no object of a cell, and objects in the wrong place.

use alloc::{vec, vec::Vec};

use namespace::{LoadError, ObjectError, Scope};
use self_check::Outcome;

use crate::{
    Unexpected,
    census::{Watch, says},
    crafted::{APPLICATION, KERNEL, sound},
    elf::{BYTE_ORDER, CLASS, FILE, FILE_TYPE, MACHINE, PROGRAM_HEADERS},
};

fn malformed(error: &LoadError) -> bool {
    matches!(error, LoadError::Object { error: ObjectError::Malformed(_), .. })
}

pub(crate) fn no_object() -> Outcome {
    let only_magic = [&b"\x7fELF\x02\x01\x01"[..], &[0; 57]].concat();
    let files: [(&str, Vec<u8>); 6] = [
        ("an empty file", Vec::new()),
        ("text", b"A lady of a certain age, which means certainly aged.\n".repeat(9)),
        ("a script", Vec::from(b"#!/bin/sh\nexec true\n")),
        ("zeros", vec![0; 5000]),
        ("ones", vec![0xff; 5000]),
        ("the first bytes of a header", only_magic[..20].to_vec()),
    ];
    // The heap is looked at while these files are still there.
    let watch = Watch::new();
    for (what, file) in &files {
        watch.refused(what, (APPLICATION, file, Scope::Private), malformed, &[APPLICATION])?;
    }
    // A whole header in which nothing is said is for no machine.
    let foreign = |error: &LoadError| matches!(error, LoadError::Object { error: ObjectError::Foreign { .. }, .. });
    watch.refused("an empty header", (APPLICATION, &only_magic, Scope::Private), foreign, &[APPLICATION])?;
    watch.finish()
}

pub(crate) fn other_machine() -> Outcome {
    const AARCH64: u64 = 183;
    const I386: u64 = 3;
    let watch = Watch::new();
    let cases = [
        ("32 bits", CLASS, 1),
        ("big-endian", BYTE_ORDER, 2),
        ("for aarch64", MACHINE, AARCH64),
        ("for i386", MACHINE, I386),
    ];
    for (what, field, value) in cases {
        let mut elf = sound(APPLICATION)?;
        elf.put(FILE, field, value);
        // Of 32 bits or of the other byte order the rest of the header is read otherwise, but it is not x86_64's.
        let fits = |error: &LoadError| {
            matches!(error, LoadError::Object { error: ObjectError::Foreign { .. } | ObjectError::Malformed(_), .. })
        };
        watch.refused(what, (APPLICATION, &elf.bytes, Scope::Private), fits, &[APPLICATION])?;
    }
    watch.finish()
}

pub(crate) fn linked_file() -> Outcome {
    let watch = Watch::new();
    let fits = |error: &LoadError| matches!(error, LoadError::Object { error: ObjectError::NotRelocatable { .. }, .. });
    let cases = [
        ("an executable", FILE_TYPE, 2),
        ("a shared library", FILE_TYPE, 3),
        ("a core file", FILE_TYPE, 4),
        ("program headers", PROGRAM_HEADERS, 1),
    ];
    for (what, field, value) in cases {
        let mut elf = sound(APPLICATION)?;
        elf.put(FILE, field, value);
        watch.refused(what, (APPLICATION, &elf.bytes, Scope::Private), fits, &[APPLICATION, "relocatable"])?;
    }
    watch.finish()
}

pub(crate) fn unknown_name() -> Outcome {
    const NAME: &str = "none_such";
    let elf = sound(APPLICATION)?;
    let watch = Watch::new();
    let fits = |error: &LoadError| matches!(error, LoadError::Unknown { .. });
    watch.refused("another name", (NAME, &elf.bytes, Scope::Private), fits, &[NAME])?;
    match namespace::archived_object(NAME) {
        Ok(_) => return Err(Unexpected::Unsuitable.into()),
        Err(error) => says(&error, &[NAME])?,
    }
    watch.finish()
}

pub(crate) fn loaded_already() -> Outcome {
    let elf = sound(KERNEL)?;
    let watch = Watch::new();
    let fits = |error: &LoadError| matches!(error, LoadError::AlreadyLoaded { .. });
    watch.refused("loaded again", (KERNEL, &elf.bytes, Scope::Shared), fits, &[KERNEL])?;
    watch.finish()
}

pub(crate) fn start_up_section() -> Outcome {
    const ENTRY: &str = "nano_core";
    let elf = sound(ENTRY)?;
    let watch = Watch::new();
    let fits = |error: &LoadError| matches!(error, LoadError::Boot { .. });
    watch.refused("the entry loaded again", (ENTRY, &elf.bytes, Scope::Private), fits, &[ENTRY, ".boot"])?;
    watch.finish()
}
