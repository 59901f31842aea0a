//! From sources to what boots: `target/mitos/nano_core.elf` and `target/mitos/cells.archive`; and the same with the cells
//! that only tests need, in `target/mitos/tests`.
//!
//! 1. [`compile`]: cargo compiles every crate, the language's own included, to one object each ([`wrapper`] sets what
//!    cargo cannot); 2. [`cells`]: the objects become cells with names, groups and dependencies; 3. [`seed`]: the cells
//!    that must run before the loader does are laid out and linked with the loader's own crates; 4. [`pack`]: all
//!    objects and the manifest go into the archive.

pub mod alternates;
pub mod applications;
pub mod cells;
pub mod compile;
pub mod describe;
pub mod entry_points;
pub mod files;
pub mod groups;
pub mod image;
pub mod invocation;
pub mod isolated_functions;
pub mod libraries;
pub mod lock;
pub mod manifests;
pub mod pack;
pub mod report;
pub mod seed;
pub mod store;
pub mod text_addresses;
pub mod wrapper;

use std::{
    io,
    path::{Path, PathBuf},
};

/// The folders of one checkout.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Where `Cargo.toml` of the target's workspace is.
    pub root: PathBuf,
}

impl Tree {
    /// The tree around the current folder.
    ///
    /// # Errors
    /// If neither it nor a folder above it is a checkout of Mitos.
    pub fn find() -> Result<Self, BuildError> {
        let start = std::env::current_dir().map_err(|source| BuildError::file(".", source))?;
        start
            .ancestors()
            .find(|folder| folder.join("build/x86_64-mitos.json").is_file())
            .map(|root| Self { root: root.to_owned() })
            .ok_or(BuildError::NoTree { start })
    }

    /// The product: what a user boots.
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.root.join("target/mitos")
    }

    /// The product and, in the same archive, the cells that only tests need.
    #[must_use]
    pub fn tests_output(&self) -> PathBuf {
        self.output().join("tests")
    }

    /// The bootable image of the product's seed.
    #[must_use]
    pub fn image(&self) -> PathBuf {
        image_in(&self.output())
    }

    /// The archive of the product's cells.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        archive_in(&self.output())
    }
}

/// The bootable image among the outputs in `folder`.
#[must_use]
pub fn image_in(folder: &Path) -> PathBuf {
    folder.join("nano_core.elf")
}

/// The archive of cells among the outputs in `folder`.
#[must_use]
pub fn archive_in(folder: &Path) -> PathBuf {
    folder.join("cells.archive")
}

/// Why a build failed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum BuildError {
    #[error("{} is in no checkout of Mitos; change into one", start.display())]
    NoTree { start: PathBuf },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot run {program}: {source}")]
    Program { program: String, source: io::Error },
    #[error("{program} failed ({status}){output}")]
    Failed { program: String, status: std::process::ExitStatus, output: String },
    #[error("JSON: {0}")]
    Messages(serde_json::Error),
    #[error("alternate {name}: {why}")]
    Alternate { name: String, why: String },
    #[error(
        "crate {krate} is compiled without full debug information, from which swaps know what may be exchanged; a \
        configuration of cargo's above the checkout sets `debug` for packages: remove that"
    )]
    NoDebugInformation { krate: String },
    #[error("crate {krate}: its library has {count} objects, not one; it must be compiled with one codegen unit")]
    Objects { krate: String, count: usize },
    #[error("two crates are called {name}; the name of a cell must be unique")]
    SameName { name: String },
    #[error("{}: {source}", path.display())]
    Library { path: PathBuf, source: goblin::error::Error },
    #[error("cell {cell}: {source}")]
    Object { cell: String, source: object::ObjectError },
    #[error("cells {first} and {second} both define `{symbol}`")]
    Duplicate { first: String, second: String, symbol: String },
    #[error("cell {cell}: {source}")]
    Digests { cell: String, source: digests::DigestError },
    #[error("cell {cell}: {source}")]
    Link { cell: String, source: linker::LinkError },
    #[error(
        "cell {cell}: section {}, bytes {:#x} to {:#x} have no frame entry, so nothing could be unwound through them; \
        assembly needs .cfi_startproc and .cfi_endproc",
        gap.section, gap.start, gap.end
    )]
    Frames { cell: String, gap: digests::frames::Gap },
    #[error("cell {cell}: {full} sections with debug information, {packed} without; objcopy took too much")]
    Stripped { cell: String, full: usize, packed: usize },
    #[error("sources: {0}")]
    Survey(sources::SurveyError),
    #[error("a stub of the seed does not reach its function: {0}")]
    Stub(relocation::Overflow),
    #[error("missing: {what}")]
    Missing { what: String },
    #[error("cell {cell} has a section `.boot`; only nano_core may")]
    StrayBoot { cell: String },
    #[error("cell {cell} refers to {used}; it must refer to no other cell, for it runs while any may be exchanged")]
    NotSelfContained { cell: &'static str, used: String },
    #[error(
        "cell {cell}, section {section} holds an address in the text of {symbol} that is not the function's entry, so no \
        scan would find who uses it; call a function, or mark the label as one (.type NAME, @function)"
    )]
    TextAddress { cell: String, section: String, symbol: String },
    #[error("{}: {source}", path.display())]
    Toml { path: PathBuf, source: Box<toml::de::Error> },
    #[error(
        "application {application} uses {used}, which is not made for applications; grant it in build/applications.toml \
        or do without"
    )]
    NotForApplications { application: String, used: String },
    #[error("a function that is called by its name has another type than its caller expects:\n{output}")]
    EntryPoints { output: String },
    #[error("`{function}` has the type `{found}`, and {caller}, which calls it by its name, expects `{expected}`")]
    EntryType { function: String, found: String, caller: String, expected: String },
    #[error(
        "application {application} has a build script or needs packages for one; an application is what its sources say"
    )]
    BuildScript { application: String },
    #[error("build/applications.toml grants cells to {application}, which is no application")]
    StrayGrant { application: String },
    #[error(
        "cell {cell} of group {group} uses {used} of group {used_group}, which stands above it in build/groups.toml; \
        dependencies go down"
    )]
    ReachesUp { cell: String, group: String, used: String, used_group: String },
    #[error("cell {cell} is in the folder of group {group}, which has no place in build/groups.toml")]
    UnknownGroup { cell: String, group: String },
    #[error("{0}")]
    Archive(#[from] archive::ArchiveError),
    #[error("a value cannot be written or read as bytes: {0}")]
    Map(postcard::Error),
    #[error("the image cannot be written: {0}")]
    Image(goblin::error::Error),
}

impl BuildError {
    /// A file could not be read or written.
    pub fn file(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::File { path: path.as_ref().to_owned(), source }
    }

    fn alternate(alternate: &alternates::Alternate, why: impl Into<String>) -> Self {
        Self::Alternate { name: alternate.name.clone(), why: why.into() }
    }
}

/// What a build made.
#[derive(Debug)]
pub struct Build {
    /// All cells with their objects, sorted by name.
    pub cells: Vec<cells::Cell>,
    /// The alternates.
    pub alternates: Vec<alternates::Built>,
    /// How the base was compiled.
    pub compiled: compile::Compiled,
    /// The manifest that went into the archive of tests, which has all cells.
    pub manifest: manifest::Manifest,
    /// Where the host put the seed.
    pub seed: manifest::SeedMap,
}

/// The cell that runs while all others may be exchanged.
const PIVOT: &str = "pivot";

/// The pivot must not call what a swap may replace: nothing at all.
fn check_self_contained(cells: &[cells::Cell], graph: &cells::Graph) -> Result<(), BuildError> {
    let Some(pivot) = cells.iter().position(|cell| cell.name() == PIVOT) else {
        return Err(BuildError::Missing { what: format!("the cell {PIVOT}") });
    };
    match graph.uses[pivot].first() {
        Some(&used) => Err(BuildError::NotSelfContained { cell: PIVOT, used: cells[used].name().to_owned() }),
        None => Ok(()),
    }
}

/// Builds everything, while no other process builds in this checkout.
///
/// # Errors
/// [`BuildError`] says what failed; outputs of an earlier build stay in place until the last step.
pub fn build(tree: &Tree) -> Result<Build, BuildError> {
    let _lock = lock::BuildLock::acquire(tree)?;
    let store = store::Store::open(tree)?;
    let compiled = compile::compile(tree)?;
    let cells = cells::collect(&compiled.libraries, &store, &[])?;
    let graph = cells::Graph::new(&cells)?;
    check_self_contained(&cells, &graph)?;
    text_addresses::check(&cells)?;
    groups::check(tree, &cells)?;
    applications::check(tree, &cells)?;
    entry_points::check(tree, &cells, &[], &store)?;
    let seed = seed::Seed::plan(&cells, &graph)?;
    let alternates = alternates::build(tree, &compiled, &cells, &store)?;
    let packed = pack::pack(&compiled, &cells, &graph, &seed, &alternates)?;
    let map = image::write(&tree.output(), &cells, &seed, packed.product.build)?;
    files::write(&tree.archive(), &packed.product.bytes)?;
    // The seed knows its archive by the digest, so the archive of tests has an image of its own.
    image::write(&tree.tests_output(), &cells, &seed, packed.tests.build)?;
    files::write(&archive_in(&tree.tests_output()), &packed.tests.bytes)?;
    store.sweep()?;
    Ok(Build { manifest: packed.manifest, seed: map, cells, alternates, compiled })
}
