//! Unit tests that run on the host: those of the pure target crates and those of the host tool.
//!
//! A target crate is pure when its manifest says so: `[package.metadata.mitos] host-tests = true`.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::Tally;

/// The triple of the machine that the tests run on.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// Why tests could not be run at all.
#[derive(Debug)]
pub enum HostError {
    /// A program or file failed.
    Io { what: String, error: io::Error },
    /// Cargo could not describe the workspace.
    Metadata { output: String },
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, error } => write!(f, "{what}: {error}"),
            Self::Metadata { output } => write!(f, "cargo metadata: {output}"),
        }
    }
}

impl std::error::Error for HostError {}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    metadata: Option<serde_json::Value>,
}

/// The toolchain that everything is compiled with.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// The pinned cargo.
    pub cargo: PathBuf,
    /// The pinned rustc.
    pub rustc: PathBuf,
}

impl Toolchain {
    fn cargo(&self, root: &Path) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(root).env("RUSTC", &self.rustc).env("RUSTC_BOOTSTRAP", "1");
        // Tests in documentation are built by rustdoc, which must be of the same version.
        command.env("RUSTDOC", self.rustc.with_file_name("rustdoc"));
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        command
    }
}

/// The crates of the target's workspace, in the order of their names.
fn packages(toolchain: &Toolchain, root: &Path) -> Result<Vec<Package>, HostError> {
    let output = toolchain
        .cargo(root)
        .args(["metadata", "--no-deps", "--format-version=1", "--locked"])
        .output()
        .map_err(|error| HostError::Io { what: "cargo metadata".into(), error })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !output.status.success() {
        return Err(HostError::Metadata { output: text(&output.stderr) });
    }
    let mut metadata: Metadata =
        serde_json::from_slice(&output.stdout).map_err(|error| HostError::Metadata { output: error.to_string() })?;
    metadata.packages.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(metadata.packages)
}

/// Whether the crate has unit tests, which run only if it is pure.
fn has_tests(package: &Package) -> bool {
    let sources = package.manifest_path.parent().map(|folder| folder.join("src"));
    let files = sources.and_then(|sources| std::fs::read_dir(sources).ok()).into_iter().flatten().flatten();
    files.into_iter().any(|file| std::fs::read_to_string(file.path()).is_ok_and(|text| text.contains("#[cfg(test)]")))
}

fn is_pure(package: &Package) -> bool {
    let flag = |value: &serde_json::Value| value.pointer("/mitos/host-tests").and_then(serde_json::Value::as_bool);
    package.metadata.as_ref().and_then(flag).unwrap_or(false)
}

/// Runs the units of the pure crates.
///
/// # Errors
/// [`HostError`]: cargo cannot be run. Failing tests are no error here, they are in the tally.
pub fn test_pure_crates(toolchain: &Toolchain, root: &Path, tally: &mut Tally) -> Result<(), HostError> {
    let (pure, others): (Vec<Package>, Vec<Package>) = packages(toolchain, root)?.into_iter().partition(is_pure);
    let forgotten: Vec<&str> = others.iter().filter(|one| has_tests(one)).map(|one| &*one.name).collect();
    let result = if forgotten.is_empty() {
        Ok(())
    } else {
        Err(format!("without `host-tests = true`, so their tests are not run: {}", forgotten.join(", ")))
    };
    tally.record("units: every crate with tests is among those tested", None, result);
    let mut command = toolchain.cargo(root);
    command.args(["test", "--no-fail-fast", "--locked", "--target", HOST, "--target-dir", "target/host"]);
    for package in &pure {
        command.args(["--package", &package.name]);
    }
    run(command, &root.join("target/logs/units.log"), "units", tally)
}

/// Runs the tests of the host tool and its libraries.
///
/// # Errors
/// [`HostError`]: cargo cannot be run.
pub fn test_tools(toolchain: &Toolchain, root: &Path, tally: &mut Tally) -> Result<(), HostError> {
    let mut command = toolchain.cargo(root);
    // The profile of the tool itself, so that its dependencies are not compiled a second time.
    command.args([
        "test",
        "--release",
        "--no-fail-fast",
        "--locked",
        "--workspace",
        "--manifest-path",
        "tools/Cargo.toml",
    ]);
    command.args(["--target-dir", "target/tools"]);
    run(command, &root.join("target/logs/tools.log"), "tools", tally)
}

/// Runs cargo, keeps what it said, and records a test for each line in which libtest gives a result.
fn run(mut command: Command, log: &Path, group: &str, tally: &mut Tally) -> Result<(), HostError> {
    let failed = |error| HostError::Io { what: format!("cargo test ({})", log.display()), error };
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = File::create(log).map_err(failed)?;
    // One pipe for both streams: cargo names the crate on one, libtest the tests on the other, and the order matters.
    let (reader, writer) = io::pipe().map_err(failed)?;
    command.stdin(Stdio::null()).stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let mut child = command.spawn().map_err(failed)?;
    // The command holds the pipe's other ends open.
    drop(command);
    let mut parser = Parser::new(group);
    let mut failures = 0;
    for line in BufReader::new(reader).split(b'\n') {
        let line = line.map_err(failed)?;
        let line = String::from_utf8_lossy(&line);
        writeln!(file, "{line}").map_err(failed)?;
        if let Some((name, passed)) = parser.line(&line) {
            failures += usize::from(!passed);
            let result = if passed { Ok(()) } else { Err(format!("see {}", log.display())) };
            tally.record(&name, None, result);
        }
    }
    let status = child.wait().map_err(failed)?;
    if !status.success() && failures == 0 {
        let name = format!("{group}: cargo test");
        tally.record(&name, None, Err(format!("{status}, see {}", log.display())));
    }
    Ok(())
}

/// Finds results in the output of `cargo test`.
struct Parser {
    group: String,
    krate: String,
}

impl Parser {
    fn new(group: &str) -> Self {
        Self { group: group.to_owned(), krate: String::new() }
    }

    /// The test that a line gives the result of, and whether it passed. Ignored tests are none.
    fn line(&mut self, line: &str) -> Option<(String, bool)> {
        let trimmed = line.trim_start();
        if let Some(program) = trimmed.strip_prefix("Running ").and_then(|rest| rest.split_once('(')) {
            let file = program.1.trim_end_matches(')').rsplit('/').next().unwrap_or_default();
            self.krate = file.rsplit_once('-').map_or(file, |(name, _)| name).to_owned();
            return None;
        }
        if let Some(name) = trimmed.strip_prefix("Doc-tests ") {
            self.krate = name.to_owned();
            return None;
        }
        let (name, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
        let passed = match result.split_whitespace().next()? {
            "ok" => true,
            "FAILED" => false,
            _ => return None,
        };
        Some((format!("{} {}: {name}", self.group, self.krate), passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_found_with_their_crate() {
        let mut parser = Parser::new("units");
        assert_eq!(parser.line("     Running unittests src/lib.rs (target/host/debug/deps/my_crate-0123abcd)"), None);
        assert_eq!(parser.line("test a::b ... ok"), Some(("units my_crate: a::b".into(), true)));
        assert_eq!(
            parser.line("test a::c - should panic ... FAILED"),
            Some(("units my_crate: a::c - should panic".into(), false))
        );
        assert_eq!(parser.line("test a::d ... ignored"), None);
        assert_eq!(parser.line("test result: ok. 2 passed"), None);
        assert_eq!(parser.line("   Doc-tests other"), None);
        assert_eq!(
            parser.line("test src/lib.rs - f (line 3) ... ok"),
            Some(("units other: src/lib.rs - f (line 3)".into(), true))
        );
    }

    #[test]
    fn a_crate_is_pure_when_it_says_so() {
        let package = |json: &str| serde_json::from_str::<Package>(json).unwrap();
        assert!(is_pure(&package(
            r#"{"name":"a","manifest_path":"/a/Cargo.toml","metadata":{"mitos":{"host-tests":true}}}"#
        )));
        assert!(!is_pure(&package(
            r#"{"name":"a","manifest_path":"/a/Cargo.toml","metadata":{"mitos":{"host-tests":false}}}"#
        )));
        assert!(!is_pure(&package(r#"{"name":"a","manifest_path":"/a/Cargo.toml","metadata":null}"#)));
    }
}
