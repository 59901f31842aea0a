//! Compiles every crate of the target to one object.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

use crate::{BuildError, Tree, wrapper};

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

/// Flags of every crate of the target, with the reason for each.
fn flags(tree: &Tree) -> Vec<String> {
    let rust_source = Command::new(rustc()).args(["--print", "sysroot"]).output().map_or_else(
        |_| PathBuf::new(),
        |output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).join("lib/rustlib/src/rust"),
    );
    let registry = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")))
        .unwrap_or_default();
    let mut flags: Vec<String> = [
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
    ]
    .map(String::from)
    .to_vec();
    // Paths are no part of an object: two checkouts build the same cells.
    for (from, to) in [(tree.root.as_path(), "mitos"), (registry.as_path(), "cargo"), (rust_source.as_path(), "rust")] {
        flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    }
    flags
}

/// The cargo command that every compilation of the target starts with.
#[must_use]
pub fn cargo(tree: &Tree, subcommand: &str, target_folder: &Path) -> Command {
    let mut command = Command::new(CARGO);
    command
        .current_dir(&tree.root)
        .arg(subcommand)
        .args(["--release", "-Zbuild-std=core,alloc", "-Zbuild-std-features=compiler-builtins-mem"])
        .args(["-Zjson-target-spec", "--target", "build/x86_64-mitos.json"])
        .arg("--target-dir")
        .arg(target_folder)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", rustc())
        .env(wrapper::ACTIVE, "1")
        .env(wrapper::ROOT, &tree.root)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(tree).join("\u{1f}"))
        .env_remove("RUSTFLAGS");
    if let Ok(tool) = std::env::current_exe() {
        command.env("RUSTC_WRAPPER", tool);
    }
    command
}

/// Compiles the tree; with `alternate`, with the overlays of that name.
///
/// # Errors
/// If cargo cannot be run or a crate does not compile; the compiler's messages have then been printed.
pub fn compile(tree: &Tree, alternate: Option<&str>) -> Result<Compiled, BuildError> {
    let folder = match alternate {
        None => tree.root.join("target/cells"),
        Some(name) => tree.root.join("target/alternates").join(name),
    };
    let mut command = cargo(tree, "build", &folder);
    command.args(["--workspace", "--message-format=json-render-diagnostics"]).stderr(Stdio::inherit());
    if let Some(name) = alternate {
        command.env(wrapper::ALTERNATE, name);
    }
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
        libraries.extend(library(message, &folder));
    }
    Ok(Compiled { libraries, compiler: compiler()? })
}

/// The library that a message of cargo's tells of, if it is one of the target's.
fn library(message: Message, folder: &Path) -> Option<Library> {
    let (target, manifest) = (message.target?, message.manifest_path?);
    if message.reason != "compiler-artifact" || !target.kind.iter().any(|kind| kind == "lib" || kind == "rlib") {
        return None;
    }
    let path = message.filenames.into_iter().find(|path| {
        path.extension().is_some_and(|extension| extension == "rlib") && path.starts_with(folder.join("x86_64-mitos"))
    })?;
    let package = message.package_id?;
    let version = package.rsplit(['#', '@']).next().unwrap_or_default().to_owned();
    Some(Library { name: target.name.replace('-', "_"), version, source: target.src_path, manifest, path })
}

fn compiler() -> Result<String, BuildError> {
    let program = rustc();
    let output = Command::new(&program)
        .arg("-vV")
        .output()
        .map_err(|source| BuildError::Program { program: program.display().to_string(), source })?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter(|line| !line.starts_with("host:")).collect::<Vec<_>>().join("\n"))
}
