//! `mitos fmt` and `mitos lint`.

use std::path::{Path, PathBuf};
use std::process::Command;

use build::{Tree, alternates, compile, invocation::Changes, lock::BuildLock};

use crate::failure::{Failure, check};

/// The workspaces of the tree, by their manifests.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "tools/Cargo.toml"];

/// A program of the pinned toolchain.
fn tool(name: &str) -> PathBuf {
    Path::new(compile::CARGO).with_file_name(name)
}

/// Formats all sources, or only checks that they are formatted.
pub(crate) fn format(tree: &Tree, only_check: bool) -> Result<(), Failure> {
    for manifest in MANIFESTS {
        let mut command = Command::new(tool("cargo-fmt"));
        command.current_dir(&tree.root).args(["fmt", "--all", "--manifest-path", manifest]);
        command.env("RUSTFMT", tool("rustfmt")).env("CARGO", compile::CARGO);
        if only_check {
            command.args(["--", "--check"]);
        }
        check(&mut command)?;
    }
    for alternate in alternates::find(tree)? {
        for folder in alternate.crates()? {
            format_crate(tree, &folder, only_check)?;
        }
    }
    Ok(())
}

/// Formats a crate that is no member of a workspace, or only checks it.
fn format_crate(tree: &Tree, folder: &Path, only_check: bool) -> Result<(), Failure> {
    let mut command = Command::new(tool("rustfmt"));
    command.args(["--edition", "2024", "--config-path"]).arg(&tree.root).arg(folder.join("src/lib.rs"));
    if only_check {
        command.arg("--check");
    }
    check(&mut command)
}

/// Clippy over everything, warnings as errors, and the format check.
pub(crate) fn lint(tree: &Tree) -> Result<(), Failure> {
    format(tree, true)?;
    let arguments = ["--workspace", "--locked", "--", "--deny", "warnings"];
    let folder = tree.root.join("target/clippy");
    // What a build is compiled with, so that clippy sees the same program.
    let mut target = Command::new(tool("cargo-clippy"));
    let like = compile::cargo(tree, "clippy", &folder);
    target.args(like.get_args()).args(arguments);
    if let Some(folder) = like.get_current_dir() {
        target.current_dir(folder);
    }
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => target.env(name, value),
            None => target.env_remove(name),
        };
    }
    check(target.env("CARGO", compile::CARGO))?;
    let mut tools = Command::new(tool("cargo-clippy"));
    tools.current_dir(&tree.root).args(["clippy", "--manifest-path", "tools/Cargo.toml", "--all-targets"]);
    tools.arg("--target-dir").arg(&folder).args(arguments);
    // The fuzz targets compile cells for the host, which need what the compiler gives to unstable crates only.
    tools.env("RUSTC_BOOTSTRAP", "1");
    check(tools.env("CARGO", compile::CARGO).env("RUSTC", compile::rustc()))?;
    if alternates::are_left_out() { Ok(()) } else { lint_alternates(tree, &folder) }
}

/// Clippy and the format check over the crates that alternates change, as these have them.
fn lint_alternates(tree: &Tree, folder: &Path) -> Result<(), Failure> {
    let _lock = BuildLock::acquire(tree)?;
    let compiled = compile::compile(tree)?;
    for (alternate, recompiled) in alternates::recompile(tree, &compiled)? {
        let outputs = folder.join("alternates").join(&alternate.name);
        std::fs::create_dir_all(&outputs).map_err(Failure::file(&outputs))?;
        for unit in recompiled.units {
            let changes = Changes { outputs: outputs.clone(), ..Changes::default() };
            let mut invocation = unit.invocation.changed(&changes);
            // The driver takes its own options from a variable, separated by this word, as cargo clippy gives them.
            invocation
                .environment
                .insert("CLIPPY_ARGS".into(), "--deny__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__".into());
            invocation.arguments.insert(0, compile::rustc().display().to_string());
            println!("    Checking {} of alternate {}", unit.name, alternate.name);
            check(&mut invocation.command(&tool("clippy-driver")))?;
        }
        for library in recompiled.libraries.iter().filter(|library| library.tree != tree.root) {
            format_crate(tree, library.manifest.parent().unwrap_or(&library.manifest), true)?;
        }
    }
    Ok(())
}
