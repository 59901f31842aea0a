//! The list of all cells of a build.
//!
//! The host tool writes the manifest from the objects themselves; the loader trusts it as far as the archive's digest
//! goes and checks every object against it. Types only: reading and checking bytes is the `archive` cell's work.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

/// A BLAKE3 digest.
pub type Digest = [u8; 32];

/// The first half of a BLAKE3 digest: enough to tell the sections and types of one tree apart.
pub type ShortDigest = [u8; 16];

/// A piece of the archive after the manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// Bytes from the end of the manifest.
    pub offset: u32,
    /// Compressed size, bytes.
    pub stored: u32,
    /// Size, bytes.
    pub size: u32,
    /// Of the uncompressed bytes.
    pub digest: Digest,
}

/// When a cell is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Laid out by the host in the image; adopted at boot.
    Seed,
    /// Loaded at boot.
    Kernel,
    /// Loaded when started, unloaded when finished.
    Application,
}

/// The type of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Equal for functions with a result and parameters of the same structure.
    pub digest: ShortDigest,
    /// The type for people.
    pub text: String,
}

/// One cell of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellEntry {
    /// Name of the crate.
    pub name: String,
    /// Version as far as it is part of the identity: up to and with the first number that is not 0.
    pub version: String,
    /// The folder under `cells/`, or `kernel`, `applications`, `rust` (the language's own), `packages` (third-party).
    pub group: String,
    /// When it is loaded.
    pub role: Role,
    /// Its object.
    pub object: Blob,
    /// [`CellDetails`], which only a swap needs.
    pub details: Blob,
    /// The cells that have the symbols that it uses, sorted.
    pub dependencies: Vec<String>,
    /// Whether the compiler was told to refuse `unsafe` in it.
    pub forbids_unsafe: bool,
    /// Number of `unsafe` blocks, functions and impls in its sources.
    pub unsafe_blocks: u32,
    /// Sections of the functions that can have changed nothing of their callers', ascending: every crate that the name of such a
    /// function mentions forbids `unsafe`, and by its parameters it was lent nothing that it could change. A task that has to be
    /// ended wherever it stands is ended in one of them.
    pub isolated_functions: Vec<u32>,
    /// Mangled name of `main`, for an application.
    pub entry: Option<String>,
    /// Bytes of the stack that an application asks for; `None` stands for the usual size.
    pub stack_size: Option<u32>,
    /// Mangled names of `export_state` and `import_state`, for a cell that hands its state over when it is replaced.
    pub state_transfer: Option<(String, String)>,
    /// Types of the functions of this cell that another cell calls by a name in the manifest, by mangled name.
    pub entry_points: Vec<(String, Signature)>,
    /// Types that this cell expects of such functions in other cells, by the path of the static that states each.
    pub expected: Vec<(String, Signature)>,
    /// SPDX expression.
    pub license: String,
}

/// The kind of thing that a structural digest describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Structure {
    /// Layout and field types of a type.
    Type,
    /// Type of a static.
    Static,
    /// Order and signatures of a trait object's methods.
    TraitObject,
    /// Types of a function's arguments and result.
    Signature,
}

/// The digest of one type, static, trait object or signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StructuralDigest {
    /// Path of the type, mangled name of the static or function.
    pub name: String,
    /// The kind of thing that it describes.
    pub kind: Structure,
    /// Equal for equal structure.
    pub digest: ShortDigest,
}

/// The digest of one section: its bytes and the names that they refer to, local constants by their content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionDigest {
    /// Index among the sections of the object.
    pub section: u32,
    /// Equal for sections that do the same at any address.
    pub digest: ShortDigest,
}

/// The digests that a swap compares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellDetails {
    /// Of each section, in the order of the object.
    pub sections: Vec<SectionDigest>,
    /// Of all structures that the cell's debug information describes, sorted by kind and name.
    pub structures: Vec<StructuralDigest>,
}

/// A second build of the tree, from sources with a change: only the cells with objects that differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternate {
    /// Its name, as in `swap NAME`.
    pub name: String,
    /// Its description, one line.
    pub description: String,
    /// It is there to be refused: it shows a change that a swap does not make.
    pub refused: bool,
    /// The crates with the sources that it changes, separated by spaces.
    pub edited: String,
    /// The swap set: every cell with an object that differs.
    pub cells: Vec<CellEntry>,
}

/// One compilation of the whole tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `rustc -vV`, without the host's name. Cells of two compilers cannot be linked with each other. No code compares it yet: the
    /// seed has the digest of this manifest, so that an archive of any other build is refused with it, and all alternates in it
    /// are made in one run of the host tool.
    pub compiler: String,
    /// Mangled name of the function that takes over when all cells are loaded.
    pub entry: String,
    /// All cells, sorted by name.
    pub cells: Vec<CellEntry>,
    /// The alternate builds.
    pub alternates: Vec<Alternate>,
}

impl CellEntry {
    /// The type of the function with the mangled name `symbol`, if others may call it by that name.
    #[must_use]
    pub fn entry_point(&self, symbol: &str) -> Option<&Signature> {
        self.entry_points.iter().find(|(name, _)| name == symbol).map(|(_, signature)| signature)
    }

    /// The type that the static at `path` in this cell states.
    #[must_use]
    pub fn expectation(&self, path: &str) -> Option<&Signature> {
        self.expected.iter().find(|(stated, _)| stated == path).map(|(_, signature)| signature)
    }
}

impl Manifest {
    /// The cell called `name`, as the base has it.
    #[must_use]
    pub fn cell(&self, name: &str) -> Option<&CellEntry> {
        self.cells.iter().find(|cell| cell.name == name)
    }

    /// The cell called `name`, as `alternate` has it; `None` stands for the base.
    #[must_use]
    pub fn cell_of<'a>(&'a self, alternate: Option<&'a Alternate>, name: &str) -> Option<&'a CellEntry> {
        let altered = alternate.and_then(|alternate| alternate.cells.iter().find(|cell| cell.name == name));
        altered.or_else(|| self.cell(name))
    }
}

/// Where the host put one cell of the seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedCell {
    /// Its name.
    pub name: String,
    /// Address of its text.
    pub text: u64,
    /// Address of its constants.
    pub constants: u64,
    /// Address of its data.
    pub data: u64,
    /// Distance of its thread locals below the thread pointer, bytes.
    pub thread: u64,
}

/// The section map that the host puts into the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedMap {
    /// Of the build's manifest: image and archive must be of one build.
    pub build: Digest,
    /// All cells of the image, in the order of their numbers.
    pub cells: Vec<SeedCell>,
    /// The address of the first permanent stub.
    pub stubs: u64,
    /// The functions behind the stubs, in order: number of the cell, section, offset.
    pub stub_functions: Vec<(u32, u32, u32)>,
}
