//! Compiles every crate of the target to one object.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

use crate::{BuildError, Tree, invocation::Invocation, wrapper};

/// The cargo that built this tool: the pinned one.
pub const CARGO: &str = env!("CARGO");

/// The rustc beside [`CARGO`].
#[must_use]
pub fn rustc() -> PathBuf {
    Path::new(CARGO).with_file_name("rustc")
}

/// One library that cargo made.
#[derive(Clone, Debug)]
pub struct Library {
    /// Name of the crate.
    pub name: String,
    /// Full version of the package.
    pub version: String,
    /// The checkout, or the copy of its sources that an alternate changes.
    pub tree: PathBuf,
    /// Root file of the crate.
    pub source: PathBuf,
    /// The package's `Cargo.toml`.
    pub manifest: PathBuf,
    /// The `.rlib`.
    pub path: PathBuf,
}

/// All libraries of one build.
#[derive(Debug)]
pub struct Compiled {
    /// In the order in which cargo finished them.
    pub libraries: Vec<Library>,
    /// `rustc -vV` without the host's line.
    pub compiler: String,
    /// How each of them was compiled: a folder of [`crate::invocation::Invocation`]s.
    pub invocations: PathBuf,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
    manifest_path: Option<PathBuf>,
    target: Option<MessageTarget>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct MessageTarget {
    kind: Vec<String>,
    name: String,
    src_path: PathBuf,
}

/// Flags of every crate of the target, with the reason for each. None of them names a path: the wrapper adds those, so that
/// cargo sees the same flags in each checkout.
const FLAGS: [&str; 6] = [
    // One object per crate and nothing but machine code in it.
    "-Cembed-bitcode=no",
    // Names that are exact and readable.
    "-Csymbol-mangling-version=v0",
    // A generic function is compiled into the cell that uses it, never borrowed from another one.
    "-Zshare-generics=n",
    // A function that is not generic and not marked #[inline] lives in exactly one cell, so a change of its body
    // changes that cell alone.
    "-Zcross-crate-inline-threshold=never",
    // Every function has an entry in the frame tables, and keeps it when LLVM believes it cannot unwind.
    "-Cforce-unwind-tables=yes",
    "-Cllvm-args=-disable-nounwind-inference",
];

/// The profile. It stands here and not in `Cargo.toml`, because a variable of the environment or a configuration of cargo's
/// above the checkout changes a profile there, and swaps are as safe as the debug information is complete.
const PROFILE: [&str; 12] = [
    "opt-level=2",
    // Full debug information: the host tool takes the structural digests from it and splits it off.
    "debug=2",
    "strip='none'",
    "split-debuginfo='off'",
    "codegen-units=1",
    "lto=false",
    "incremental=false",
    "panic='unwind'",
    "debug-assertions=false",
    "overflow-checks=false",
    // Procedural macros run on the host; their debug information would take most of the disk space of a build.
    "build-override.debug=0",
    "build-override.opt-level=0",
];

/// Variables that change what cargo and rustc make of the same sources, by the beginning of their names.
const DISTURBING: [&str; 14] = [
    "CARGO_BUILD_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
    "CARGO_INCREMENTAL",
    "CARGO_ENCODED_RUST",
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUSTC",
    "RUST_TARGET_PATH",
    "CDPATH",
    "MITOS_PREFIXES",
    "MITOS_INVOCATIONS",
    "MITOS_WRAPPER",
];

/// A command of cargo's or rustc's with an outcome that depends on the sources and the pinned toolchain alone.
#[must_use]
pub fn undisturbed(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| DISTURBING.iter().any(|start| name.starts_with(start))) {
            command.env_remove(name);
        }
    }
    command
}

/// What stands in objects for paths of this machine: two checkouts build the same cells.
fn prefixes(tree: &Tree) -> String {
    let rust_source = undisturbed(rustc()).args(["--print", "sysroot"]).output().map_or_else(
        |_| PathBuf::new(),
        |output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).join("lib/rustlib/src/rust"),
    );
    let registry = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")))
        .unwrap_or_default();
    let all = [(tree.root.as_path(), "mitos"), (registry.as_path(), "cargo"), (rust_source.as_path(), "rust")];
    all.map(|(from, to)| format!("{}={to}", from.display())).join("\n")
}

/// The cargo command that every compilation of the target starts with.
#[must_use]
pub fn cargo(tree: &Tree, subcommand: &str, target_folder: &Path) -> Command {
    let mut command = undisturbed(CARGO);
    command
        .current_dir(&tree.root)
        .arg(subcommand)
        .args(["--release", "-Zbuild-std=core,alloc", "-Zbuild-std-features=compiler-builtins-mem"])
        // Whether a crate is compiled again is decided by what its sources say, not by when they were written.
        .arg("-Zchecksum-freshness")
        .args(["-Zjson-target-spec", "--target", "build/x86_64-mitos.json"])
        .arg("--target-dir")
        .arg(target_folder)
        .arg("--config")
        .arg(format!("build.build-dir={:?}", target_folder.display().to_string()));
    for setting in PROFILE {
        command.arg("--config").arg(format!("profile.release.{setting}"));
    }
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", rustc())
        // Said empty: a wrapper that a configuration above the checkout names is not called either.
        .env("RUSTC_WORKSPACE_WRAPPER", "")
        .env(wrapper::ACTIVE, "1")
        .env(wrapper::ROOT, &tree.root)
        .env(wrapper::PREFIXES, prefixes(tree))
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    if let Ok(tool) = std::env::current_exe() {
        command.env("RUSTC_WRAPPER", tool);
    }
    command
}

/// Compiles the tree.
///
/// # Errors
/// If cargo cannot be run or a crate does not compile; the compiler's messages have then been printed.
pub fn compile(tree: &Tree) -> Result<Compiled, BuildError> {
    let folder = tree.root.join("target/cells");
    let invocations = folder.join("invocations");
    let mut command = cargo(tree, "build", &folder);
    command.args(["--workspace", "--message-format=json-render-diagnostics"]).stderr(Stdio::inherit());
    command.env(wrapper::INVOCATIONS, &invocations);
    let output = command.output().map_err(|source| BuildError::Program { program: CARGO.to_owned(), source })?;
    if !output.status.success() {
        return Err(BuildError::Failed {
            program: "cargo build".to_owned(),
            status: output.status,
            output: String::new(),
        });
    }
    let mut libraries = Vec::new();
    for line in output.stdout.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"{")) {
        let message: Message = serde_json::from_slice(line).map_err(BuildError::Messages)?;
        libraries.extend(library(message, tree, &folder));
    }
    for library in &libraries {
        // A configuration above the checkout can still have a word on single packages.
        if !Invocation::of_crate(&invocations, &library.name, &tree.root)?.has_debug_information() {
            return Err(BuildError::NoDebugInformation { krate: library.name.clone() });
        }
    }
    Ok(Compiled { libraries, compiler: compiler()?, invocations })
}

/// The library that a message of cargo's tells of, if it is one of the target's.
fn library(message: Message, tree: &Tree, folder: &Path) -> Option<Library> {
    let (target, manifest) = (message.target?, message.manifest_path?);
    if message.reason != "compiler-artifact" || !target.kind.iter().any(|kind| kind == "lib" || kind == "rlib") {
        return None;
    }
    let path = message.filenames.into_iter().find(|path| {
        path.extension().is_some_and(|extension| extension == "rlib") && path.starts_with(folder.join("x86_64-mitos"))
    })?;
    let package = message.package_id?;
    let version = package.rsplit(['#', '@']).next().unwrap_or_default().to_owned();
    let (name, tree) = (target.name.replace('-', "_"), tree.root.clone());
    Some(Library { name, version, tree, source: target.src_path, manifest, path })
}

fn compiler() -> Result<String, BuildError> {
    let program = rustc();
    let output = undisturbed(&program)
        .arg("-vV")
        .output()
        .map_err(|source| BuildError::Program { program: program.display().to_string(), source })?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter(|line| !line.starts_with("host:")).collect::<Vec<_>>().join("\n"))
}
