//! The tables of the Multiboot2 protocol.
//!
//! The types of the tags are those of the package `multiboot2`, which panics at a tag that is smaller than its type. So the
//! sizes are looked at here, and the package sees only tags that are as the protocol says.
//!
//! Source: Multiboot2 specification 2.0, 3.6.

use multiboot2::{
    BootInformationHeader, CommandLineTag, DynSizedStructure, MaybeDynSized, MemoryArea, MemoryAreaType, MemoryMapTag,
    ModuleTag, TagHeader, TagType,
};

use crate::{BootInformation, Loader, Memory, Region, number};

/// The value that a loader of this protocol leaves in a register.
pub use multiboot2::MAGIC;

/// A tag of which nothing is known but that its bytes are there.
type Tag = DynSizedStructure<TagHeader>;

const HEADER_SIZE: usize = size_of::<BootInformationHeader>();
/// Tags begin at multiples of this.
const ALIGNMENT: usize = 8;
/// Sizes of ACPI's root pointer structure, of which a tag holds a copy.
const OLD_ROOT_SIZE: usize = 20;
const ROOT_SIZE: usize = 36;

/// Reads the tables that start at `address`. `None` if they are not as the protocol says.
#[must_use]
pub fn read(memory: &dyn Memory, address: u64, entry_ticks: u64) -> Option<BootInformation> {
    let header = memory.bytes(Region { start: address, bytes: HEADER_SIZE as u64 })?;
    let tables = Region { start: address, bytes: number(header, 0, 4)? };
    let bytes = memory.bytes(tables)?;
    let mut information = BootInformation::new(Loader::Multiboot2, entry_ticks);
    information.tables = tables;
    let mut old_root = None;
    let mut place = HEADER_SIZE;
    loop {
        let tag = Tag::ref_from_slice(bytes.get(place..)?).ok()?;
        // GRUB hands over a copy of the root pointer; only its target counts.
        let content = address + (place + size_of::<TagHeader>()) as u64;
        match TagType::from(tag.header().typ) {
            TagType::End => break,
            TagType::Module if information.archive.is_none() => {
                let module = cast::<ModuleTag>(tag)?;
                let (start, end) = (u64::from(module.start_address()), u64::from(module.end_address()));
                information.archive = Some(Region { start, bytes: end.saturating_sub(start) });
            }
            TagType::Cmdline => {
                if let Ok(text) = cast::<CommandLineTag>(tag)?.cmdline() {
                    information.set_command_line(text.as_bytes());
                }
            }
            TagType::AcpiV1 if tag.payload().len() >= OLD_ROOT_SIZE => old_root = Some(content),
            TagType::AcpiV2 if tag.payload().len() >= ROOT_SIZE => information.acpi_root = Some(content),
            TagType::Mmap => {
                let available = |area: &&MemoryArea| area.typ() == MemoryAreaType::Available;
                for area in areas(tag)?.iter().filter(available) {
                    information.push_usable(Region { start: area.start_address(), bytes: area.size() });
                }
            }
            _ => {}
        }
        place += (tag.header().size as usize).next_multiple_of(ALIGNMENT);
    }
    information.acpi_root = information.acpi_root.or(old_root);
    Some(information)
}

/// The tag in the form of its type, if it is large enough.
fn cast<T: MaybeDynSized<Header = TagHeader, Metadata = usize> + ?Sized>(tag: &Tag) -> Option<&T> {
    (tag.header().size as usize >= T::BASE_SIZE).then(|| tag.cast())
}

/// The entries of a memory map, if they are of the size that is known.
fn areas(tag: &Tag) -> Option<&[MemoryArea]> {
    let entries = (tag.header().size as usize).checked_sub(MemoryMapTag::BASE_SIZE)?;
    if !entries.is_multiple_of(size_of::<MemoryArea>()) {
        return None;
    }
    let map = cast::<MemoryMapTag>(tag)?;
    (map.entry_size() as usize == size_of::<MemoryArea>()).then(|| map.memory_areas())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 0x100;
    /// Where the sample lies.
    const ADDRESS: u64 = 0x9_1000;

    #[repr(align(8))]
    struct Sample([u8; SIZE]);

    impl Memory for Sample {
        fn bytes(&self, region: Region) -> Option<&[u8]> {
            let start = usize::try_from(region.start.checked_sub(ADDRESS)?).ok()?;
            self.0.get(start..start.checked_add(usize::try_from(region.bytes).ok()?)?)
        }
    }

    impl Sample {
        fn put(&mut self, offset: usize, numbers: &[u32]) {
            for (place, number) in self.0[offset..].chunks_exact_mut(4).zip(numbers) {
                place.copy_from_slice(&number.to_le_bytes());
            }
        }

        /// A command line, a module, a memory map of two entries, a root pointer of each kind, and a tag that is passed over.
        fn new() -> Self {
            let mut sample = Self([0; SIZE]);
            sample.put(0, &[0xd0, 0]);
            sample.put(0x08, &[1, 17]);
            sample.0[0x10..0x19].copy_from_slice(b"log=info\0");
            sample.put(0x20, &[3, 17, 0x10_0000, 0x18_0000]);
            sample.put(0x38, &[6, 64, 24, 0, 0x10_0000, 0, 0x700_0000, 0, 1, 0, 0xfee0_0000, 0, 0x1000, 0, 2, 0]);
            sample.put(0x78, &[15, 44]);
            sample.put(0xa8, &[14, 28]);
            sample.put(0xc8, &[0, 8]);
            sample
        }
    }

    #[test]
    fn tables_are_read() {
        let information = read(&Sample::new(), ADDRESS, 7).unwrap();
        assert_eq!(information.tables, Region { start: ADDRESS, bytes: 0xd0 });
        assert_eq!(information.command_line(), "log=info");
        assert_eq!(information.archive, Some(Region { start: 0x10_0000, bytes: 0x8_0000 }));
        assert_eq!(information.usable(), [Region { start: 0x10_0000, bytes: 0x700_0000 }]);
        assert_eq!(information.acpi_root, Some(ADDRESS + 0x80));
        assert_eq!(information.entry_ticks, 7);
    }

    #[test]
    fn an_old_root_pointer_is_taken_for_want_of_a_new_one() {
        let mut sample = Sample::new();
        sample.put(0x78, &[99]);
        assert_eq!(read(&sample, ADDRESS, 0).unwrap().acpi_root, Some(ADDRESS + 0xb0));
    }

    #[test]
    fn tags_that_are_not_what_their_type_says_are_refused() {
        // A module without its end, a map that ends within an entry, a map of other entries, a tag without its own header.
        for (offset, number) in [(0x24, 12), (0x3c, 63), (0x40, 32), (0x7c, 7)] {
            let mut sample = Sample::new();
            sample.put(offset, &[number]);
            assert!(read(&sample, ADDRESS, 0).is_none(), "{number} at {offset:#x}");
        }
    }

    #[test]
    fn tables_without_an_end_are_refused() {
        for (offset, number) in [(0, 0xc8), (0, 0x1000), (0, 4), (0xc8, 99), (0xac, u32::MAX)] {
            let mut sample = Sample::new();
            sample.put(offset, &[number]);
            assert!(read(&sample, ADDRESS, 0).is_none(), "{number:#x} at {offset:#x}");
        }
    }
}
