//! What stands between cargo and rustc.
//!
//! Cargo runs this tool in rustc's place (`RUSTC_WRAPPER`). For crates of the target it makes the crate's identity its
//! name and major version alone, so that a change of profile, of a dependency or of the checkout's path renames no
//! symbol; it keeps each crate to one object; and for an alternate build it compiles an overlaid crate from the sources
//! that [`crate::alternates`] has put together. Build scripts and procedural macros run on the host and are left alone.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Set for the wrapper: the name of the alternate build, if it is one.
pub const ALTERNATE: &str = "MITOS_ALTERNATE";

/// Set for the wrapper: the folder of the checkout.
pub const ROOT: &str = "MITOS_ROOT";

/// Set for the wrapper, so that the tool knows it was called by cargo.
pub const ACTIVE: &str = "MITOS_WRAPPER";

/// The part of a version that is an identity: `1` of 1.2.3, `0.4` of 0.4.5, `0.0.6` of 0.0.6.
#[must_use]
pub fn identity(version: &str) -> String {
    let core = version.split(['-', '+']).next().unwrap_or(version);
    let mut parts = Vec::new();
    for part in core.split('.') {
        parts.push(part);
        if part != "0" {
            break;
        }
    }
    parts.join(".")
}

/// Runs rustc with `arguments` (the first is rustc itself), changed as the module says.
#[must_use]
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let Some(rustc) = arguments.next() else { return ExitCode::FAILURE };
    let arguments: Vec<OsString> = arguments.collect();
    let target =
        value_after(&arguments, "--target").is_some_and(|target| target.ends_with(".json") || target.contains("mitos"));
    let arguments = if target { rewrite(&arguments) } else { arguments };
    match Command::new(&rustc).args(&arguments).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => u8::try_from(status.code().unwrap_or(1)).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            eprintln!("mitos: cannot run {}: {error}", rustc.display());
            ExitCode::FAILURE
        }
    }
}

fn value_after(arguments: &[OsString], option: &str) -> Option<String> {
    let position = arguments.iter().position(|argument| argument == option)?;
    arguments.get(position + 1)?.to_str().map(str::to_owned)
}

fn rewrite(arguments: &[OsString]) -> Vec<OsString> {
    let name = value_after(arguments, "--crate-name").unwrap_or_default();
    let version = identity(&std::env::var("CARGO_PKG_VERSION").unwrap_or_default());
    let overlaid = overlaid();
    let mut changed: Vec<OsString> = arguments
        .iter()
        .map(|argument| match (argument.to_str(), &overlaid) {
            (Some(text), _) if text.starts_with("metadata=") => format!("metadata={name}-{version}").into(),
            (Some(text), _) if text.starts_with("codegen-units=") => "codegen-units=1".into(),
            (Some(text), Some((folder, _))) if text.ends_with("src/lib.rs") => folder.join("src/lib.rs").into(),
            _ => argument.clone(),
        })
        .collect();
    if let Some((folder, original)) = &overlaid {
        // Unchanged files of an overlaid crate must not tell where they were compiled.
        // The lints see the tree without its overlays.
        changed.push("-Dwarnings".into());
        changed.push(format!("--remap-path-prefix={}=mitos/{}", folder.display(), original.display()).into());
    }
    changed
}

/// Where the sources of an overlaid crate have been put together: this crate's folder for the alternate build, and its
/// own folder as a path in the tree.
#[must_use]
pub fn overlaid_folder(root: &Path, alternate: &str, package: &Path) -> Option<(PathBuf, PathBuf)> {
    let inside = package.strip_prefix(root).ok()?;
    Some((root.join("target/overlaid").join(alternate).join(inside), inside.to_owned()))
}

fn overlaid() -> Option<(PathBuf, PathBuf)> {
    let alternate = std::env::var(ALTERNATE).ok()?;
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    let root = PathBuf::from(std::env::var_os(ROOT)?);
    overlaid_folder(&root, &alternate, &package).filter(|(folder, _)| folder.join("src/lib.rs").is_file())
}

#[cfg(test)]
mod tests {
    use super::identity;

    #[test]
    fn an_identity_ends_with_the_first_number_that_is_not_zero() {
        assert_eq!(identity("1.2.3"), "1");
        assert_eq!(identity("0.4.5"), "0.4");
        assert_eq!(identity("0.0.6"), "0.0.6");
        assert_eq!(identity("0.0.0"), "0.0.0");
        assert_eq!(identity("2.0.0-pre1+build"), "2");
    }
}
