//! `mitos fmt` and `mitos lint`.

use std::path::{Path, PathBuf};
use std::process::Command;

use build::{Tree, alternates, compile, invocation::Changes, lock::BuildLock};
use house::prose;

use crate::failure::{Failure, check};
use crate::house_report;

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

/// Measures the prose, writes the numbers and prints those of each group of folders.
fn prose(tree: &Tree) -> Result<(), Failure> {
    let report = house_report::write(tree)?;
    let words = prose::WORDS.join(", ");
    println!("mitos: lines of comment, and how many of {words} are in 1,000 of them:");
    for (group, prose) in report.groups.iter().filter(|(_, prose)| prose.words > 0) {
        println!("  {group:<24} {:>6} {:>7.1}", prose.lines, prose.per_1000());
    }
    println!("  {:<24} {:>6} {:>7.1}", "all", report.all.lines, report.all.per_1000());
    if !report.all.is_plain() {
        println!("mitos: more than the {} that are meant", prose::LIMIT_PER_1000);
    }
    for (path, line) in &report.long_lines {
        println!("{}:{line}: a line of more than {} characters", path.display(), prose::MARKDOWN_WIDTH);
    }
    Ok(())
}

/// Type-checks both workspaces for an editor, which reads cargo's messages from the output and has one workspace open or
/// both. Warnings and errors are for the editor to show, so they are no failure.
pub(crate) fn check_for_editor(tree: &Tree) -> Result<(), Failure> {
    let arguments = ["--workspace", "--locked", "--keep-going", "--message-format=json"];
    let mut target = compile::cargo(tree, "check", &tree.root.join("target/editor"));
    target.args(arguments);
    let mut tools = Command::new(compile::CARGO);
    tools.current_dir(&tree.root).env("RUSTC", compile::rustc()).env("RUSTC_BOOTSTRAP", "1");
    tools.args(["check", "--manifest-path", "tools/Cargo.toml", "--all-targets", "--target-dir", "target/editor"]);
    tools.args(arguments);
    for command in [&mut target, &mut tools] {
        command.status().map_err(|error| Failure::program(command, error))?;
    }
    Ok(())
}

/// Clippy over everything, warnings as errors, the format check and the measure of the prose.
pub(crate) fn lint(tree: &Tree) -> Result<(), Failure> {
    format(tree, true)?;
    prose(tree)?;
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
