//! What of a cell's object must not change under a running system, as digests.
//!
//! Two kinds, for the swap planner:
//! - a **section digest** covers a section's bytes and what its relocations point at. Named targets count by their name,
//!   anonymous constants by their own content, so renumbered constants do not make a section look changed. Equal digests
//!   mean: the section can keep its address.
//! - a **structural digest** covers the layout of a type or static, the parameters of a function, or the order of methods
//!   behind a trait object. Equal code is no proof of equal layout, so these come from the debug information of the same
//!   build.
//!
//! For functions that another cell calls by a name in the manifest there is also the readable type, so that a refusal can
//! show both types. From the types of parameters the crate also finds the functions that were lent nothing that they could change.
//!
//! The same crate checks the frame information ([`frames`]): a text byte without a frame entry cannot be unwound through.
//!
//! Everything here fails with a [`DigestError`] that names the section or the offset; a malformed object is never guessed at.

pub mod frames;
pub mod inlined;

mod content;
mod debug_info;
mod entry_points;
mod hash;
mod lent;
mod structure;
mod type_digest;
mod vtables;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use cell_object::SectionKind;
pub use content::SectionDigest;
pub use entry_points::EntryPoints;
use manifest::{CellDetails, StructuralDigest};

/// All digests of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectDigests {
    /// One for each section that takes part in linking, in file order.
    pub sections: Vec<SectionDigest>,
    /// Sorted by kind and name, each pair once.
    pub structures: Vec<StructuralDigest>,
    /// Linkage names of the functions that were lent nothing that they could change.
    pub isolated: BTreeSet<String>,
    /// Types of functions that are called by a name in the manifest.
    pub entry_points: EntryPoints,
}

impl ObjectDigests {
    /// As the manifest has them.
    #[must_use]
    pub fn into_details(self) -> CellDetails {
        let sections = self.sections.iter().zip(0..);
        let sections = sections
            .map(|(section, number)| manifest::SectionDigest { section: number, digest: section.digest })
            .collect();
        CellDetails { sections, structures: self.structures }
    }
}

/// Why no digests could be taken.
#[derive(Debug)]
pub enum DigestError {
    /// The kernel's reader refuses the object.
    Object(cell_object::ObjectError),
    /// The ELF file itself is damaged.
    Elf(goblin::error::Error),
    /// The debug information is damaged.
    DebugInformation(gimli::Error),
    /// A section of the debug information is outside the file, or compressed.
    DebugSection { section: String },
    /// A record of the frame information is damaged.
    FrameRecord { offset: usize },
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(error) => write!(f, "object: {error}"),
            Self::Elf(error) => write!(f, "object: {error}"),
            Self::DebugInformation(error) => write!(f, "debug information: {error}"),
            Self::DebugSection { section } => {
                write!(f, "debug information: section {section} is outside the file or compressed")
            }
            Self::FrameRecord { offset } => {
                write!(f, "frame information: the record at .eh_frame+{offset:#x} is damaged")
            }
        }
    }
}

impl std::error::Error for DigestError {}

impl From<cell_object::ObjectError> for DigestError {
    fn from(error: cell_object::ObjectError) -> Self {
        Self::Object(error)
    }
}

impl From<goblin::error::Error> for DigestError {
    fn from(error: goblin::error::Error) -> Self {
        Self::Elf(error)
    }
}

impl From<gimli::Error> for DigestError {
    fn from(error: gimli::Error) -> Self {
        Self::DebugInformation(error)
    }
}

/// Takes all digests of an object that still has its debug information.
///
/// # Errors
/// [`DigestError`]: the object or its debug information is damaged.
pub fn of_object(file: &[u8]) -> Result<ObjectDigests, DigestError> {
    let object = cell_object::Object::parse(file)?;
    let sections = content::section_digests(&object);
    let mut collector = structure::Collector::default();
    let mut functions = BTreeMap::new();
    let mut entry_points = EntryPoints::default();
    debug_info::walk(file, debug_info::is_kept, &mut |tree| {
        let mut types = type_digest::TypeDigests::new(tree);
        types.collect(&mut collector);
        types.collect_entry_points(&mut entry_points);
        lent::collect(tree, &mut functions);
    })?;
    vtables::collect(&object, &mut collector);
    let isolated = lent::isolated(functions);
    Ok(ObjectDigests { sections, structures: collector.finish(), isolated, entry_points })
}
