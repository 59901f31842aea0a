//! From the boot code's page tables to a namespace of all cells.

use alloc::boxed::Box;
use core::fmt;

use addresses::{PAGE_SIZE, PhysAddr, VirtAddr};
use archive::{Archive, ArchiveError};
use boot_information::{BootInformation, MAX_REGIONS, Region};
use frames::{BootWindow, FramesError, PhysicalRange};
use manifest::SeedMap;
use mapping::{BootstrapError, MapError, ReadOnly};
use namespace::LoadError;

use crate::{Main, WINDOW_BASE, WINDOW_SIZE, image::Image};

/// Where the boot loader puts the image.
const IMAGE_START: u64 = 0x10_0000;

/// Memory for the cells as they run, for heap, stacks and page tables of a system on which the shell starts every
/// application, with four CPUs: measured, as the system test of the smallest machine repeats.
const WORKING_MEMORY: u64 = 32 << 20;

/// Why the kernel cannot boot.
#[derive(Debug)]
pub(crate) enum BootError {
    NoArchive,
    TooLittleMemory { usable: u64, needed: u64 },
    Frames(FramesError),
    Tables(BootstrapError),
    Map(MapError),
    Archive(ArchiveError),
    SeedMap(postcard::Error),
    Load(Box<LoadError>),
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoArchive => f.write_str("the boot loader gave no archive of cells (QEMU: -initrd, GRUB: module2)"),
            Self::TooLittleMemory { usable, needed } => {
                let mib = |bytes: u64| bytes.div_ceil(1 << 20);
                write!(f, "{} MiB of memory are usable, and {} MiB are needed", usable >> 20, mib(*needed))
            }
            Self::Frames(error) => write!(f, "memory map: {error}"),
            Self::Tables(error) => write!(f, "page tables: {error}"),
            Self::Map(error) => write!(f, "archive of cells: {error}"),
            Self::Archive(error) => error.fmt(f),
            Self::SeedMap(error) => write!(f, "the image's section map cannot be read: {error}"),
            Self::Load(error) => error.fmt(f),
        }
    }
}

fn refused(error: LoadError) -> BootError {
    BootError::Load(Box::new(error))
}

/// Sets up memory, takes up the seed and loads all cells of the kernel; returns the function that takes over.
pub(crate) fn bootstrap(information: &BootInformation, image: &Image) -> Result<Main, BootError> {
    let region = information.archive.ok_or(BootError::NoArchive)?;
    let usable = information.usable().iter().map(|region| region.bytes).sum();
    let needed = image.physical_end() - IMAGE_START + region.bytes + WORKING_MEMORY;
    if usable < needed {
        return Err(BootError::TooLittleMemory { usable, needed });
    }
    init_memory(information, image, region)?;
    let archive = map_archive(region)?;
    let archive = Archive::parse(archive).map_err(BootError::Archive)?;
    let map = read_map(image)?;
    // SAFETY: `map` is the one in this image, and this runs once.
    let adopted = unsafe { namespace::adopt(archive, &map) }.map_err(refused)?;
    let loaded = namespace::load_kernel().map_err(refused)?;
    let (stubs, names) = namespace::sizes();
    log::info!("{adopted} cells adopted, {loaded} loaded; {names} names, {stubs} stubs");
    let entry = namespace::entry().map_err(refused)?;
    // SAFETY: a cell of the kernel stays loaded, or its functions lead to those of the cell that replaces it.
    unsafe { entry.function(&crate::MAIN) }.map_err(refused)
}

fn init_memory(information: &BootInformation, image: &Image, archive: Region) -> Result<(), BootError> {
    let range = |region: Region| PhysicalRange { start: PhysAddr::new_truncate(region.start), bytes: region.bytes };
    let mut usable = [range(Region::default()); MAX_REGIONS];
    for (place, &region) in usable.iter_mut().zip(information.usable()) {
        *place = range(region);
    }
    let reserved = [
        range(Region { start: IMAGE_START, bytes: image.physical_end() - IMAGE_START }),
        range(archive),
        range(information.tables),
    ];
    let window = BootWindow { base: VirtAddr::new_truncate(WINDOW_BASE), bytes: WINDOW_SIZE };
    // SAFETY: the loader says that the memory is free but for what is reserved; the boot code mapped the window.
    unsafe { frames::init(&usable[..information.usable().len()], &reserved, window) }.map_err(BootError::Frames)?;
    // SAFETY: the boot CPU runs on a stack in the image's data, and all code and data in use are in the image.
    unsafe { mapping::bootstrap(&image.ranges(), window) }.map_err(BootError::Tables)?;
    Ok(())
}

/// Maps the archive, for good: applications are loaded from it.
fn map_archive(region: Region) -> Result<&'static [u8], BootError> {
    let size = usize::try_from(region.bytes).unwrap_or(usize::MAX);
    let start = PhysAddr::new_truncate(region.start);
    let offset = usize::try_from(region.start % PAGE_SIZE as u64).unwrap_or_default();
    // SAFETY: the memory was reserved, so no code writes to it.
    let mapping = unsafe { mapping::map_physical(start, size, ReadOnly) }.map_err(BootError::Map)?;
    let mapping = Box::leak(Box::new(mapping));
    Ok(&mapping.bytes()[offset..offset + size])
}

#[expect(clippy::cast_possible_truncation, reason = "an address of this machine is a usize")]
fn read_map(image: &Image) -> Result<SeedMap, BootError> {
    let size = usize::try_from(image.map.end - image.map.start).unwrap_or_default();
    let start = core::ptr::with_exposed_provenance(image.map.start as usize);
    // SAFETY: the final tables map this part of the image read-only, for good.
    let bytes: &'static [u8] = unsafe { core::slice::from_raw_parts(start, size) };
    postcard::from_bytes(bytes).map_err(BootError::SeedMap)
}
