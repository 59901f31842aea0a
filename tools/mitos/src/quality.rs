//! `mitos fmt` and `mitos lint`.

use std::path::{Path, PathBuf};
use std::process::Command;

use build::{Tree, compile};

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
    Ok(())
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
    tools.arg("--target-dir").arg(folder).args(arguments);
    // The fuzz targets compile cells for the host, which need what the compiler gives to unstable crates only.
    tools.env("RUSTC_BOOTSTRAP", "1");
    check(tools.env("CARGO", compile::CARGO).env("RUSTC", compile::rustc()))
}
