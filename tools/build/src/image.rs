//! Writes the seed as an ELF file that boots by PVH (QEMU's `-kernel`) and by Multiboot2 (GRUB).
//!
//! After the code comes the section map; where everything is stands at `seed_image` in the `.boot` section:
//! start and end of text, constants, data and map, eight addresses of 8 bytes.

use std::path::Path;

use goblin::{
    container::{Container, Ctx, Endian},
    elf::{
        header::{
            EI_CLASS, EI_DATA, EI_VERSION, ELFCLASS64, ELFDATA2LSB, ELFMAG, EM_X86_64, ET_EXEC, EV_CURRENT, Header,
        },
        program_header::{PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE, ProgramHeader},
    },
};
use manifest::{Digest, SeedMap};
use scroll::Pwrite;

use crate::{
    BuildError,
    cells::Cell,
    files, image_in,
    seed::{ENTRY_CELL, PHYSICAL_BASE, Range, Seed, VIRTUAL_OFFSET},
};

const PAGE: usize = 4096;
const ELF_HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;

/// Writes the image into `folder` and returns the section map that it holds.
///
/// # Errors
/// Files that cannot be written, or a seed without its entry.
pub fn write(folder: &Path, cells: &[Cell], seed: &Seed, build: Digest) -> Result<SeedMap, BuildError> {
    let map = seed.map(build);
    let mut map_bytes = postcard::to_stdvec(&map).map_err(BuildError::Map)?;
    let map_end = seed.data.end() + map_bytes.len() as u64;
    map_bytes.resize(map_bytes.len().next_multiple_of(PAGE), 0);
    let map_range = Range { start: seed.data.end(), bytes: map_bytes };
    let mut boot = seed.boot.clone();
    let ranges = [&seed.text, &seed.constants, &seed.data].map(|range| (range.start, range.end()));
    for (number, (start, end)) in ranges.into_iter().chain([(map_range.start, map_end)]).enumerate() {
        let field = seed.header + number * 16;
        boot.bytes[field..field + 8].copy_from_slice(&start.to_le_bytes());
        boot.bytes[field + 8..field + 16].copy_from_slice(&end.to_le_bytes());
    }
    let entry = entry_address(cells)?;
    let segments = [
        (&boot, PF_R | PF_W | PF_X),
        (&seed.text, PF_R | PF_X),
        (&seed.constants, PF_R),
        (&seed.data, PF_R | PF_W),
        (&map_range, PF_R),
    ];
    let bytes = elf(&segments, entry).map_err(BuildError::Image)?;
    files::write(&image_in(folder), bytes)?;
    Ok(map)
}

/// Physical address of `pvh_entry` in nano_core.
fn entry_address(cells: &[Cell]) -> Result<u64, BuildError> {
    let missing = || BuildError::Missing { what: "the symbol `pvh_entry`".to_owned() };
    let cell = cells.iter().find(|cell| cell.name() == ENTRY_CELL).ok_or_else(missing)?;
    let object = cell.object()?;
    let symbol = object.symbols.iter().find(|symbol| symbol.name == "pvh_entry").ok_or_else(missing)?;
    let (_, offset) = symbol.definition.ok_or_else(missing)?;
    Ok(PHYSICAL_BASE + offset as u64)
}

/// The note by which QEMU finds the 32-bit entry: `XEN_ELFNOTE_PHYS32_ENTRY` of the PVH boot protocol.
fn pvh_note(entry: u64) -> Vec<u8> {
    const PHYS32_ENTRY: u32 = 18;
    let mut note = Vec::new();
    for word in [4_u32, 8, PHYS32_ENTRY] {
        note.extend_from_slice(&word.to_le_bytes());
    }
    note.extend_from_slice(b"Xen\0");
    note.extend_from_slice(&entry.to_le_bytes());
    note
}

fn elf(segments: &[(&Range, u32)], entry: u64) -> Result<Vec<u8>, goblin::error::Error> {
    let context = Ctx::new(Container::Big, Endian::Little);
    let note = pvh_note(entry);
    let note_offset = ELF_HEADER + (segments.len() + 1) * PROGRAM_HEADER;
    let mut header = Header::new(context);
    header.e_ident[..ELFMAG.len()].copy_from_slice(ELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_entry = entry;
    header.e_phoff = ELF_HEADER as u64;
    header.e_phnum = u16::try_from(segments.len() + 1).expect("an image has few segments");
    let mut file = vec![0; PAGE];
    file.pwrite_with(header, 0, context.le)?;
    file[note_offset..note_offset + note.len()].copy_from_slice(&note);
    let mut headers = vec![ProgramHeader {
        p_type: PT_NOTE,
        p_flags: PF_R,
        p_offset: note_offset as u64,
        p_vaddr: 0,
        p_paddr: 0,
        p_filesz: note.len() as u64,
        p_memsz: note.len() as u64,
        p_align: 4,
    }];
    for (range, rights) in segments {
        let physical = if range.start >= VIRTUAL_OFFSET { range.start - VIRTUAL_OFFSET } else { range.start };
        headers.push(ProgramHeader {
            p_type: PT_LOAD,
            p_flags: *rights,
            p_offset: file.len() as u64,
            p_vaddr: range.start,
            p_paddr: physical,
            p_filesz: range.bytes.len() as u64,
            p_memsz: range.bytes.len() as u64,
            p_align: PAGE as u64,
        });
        file.extend_from_slice(&range.bytes);
    }
    for (number, header) in headers.into_iter().enumerate() {
        file.pwrite_with(header, ELF_HEADER + number * PROGRAM_HEADER, context)?;
    }
    Ok(file)
}
