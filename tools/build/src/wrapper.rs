//! What stands between cargo and rustc.
//!
//! Cargo runs this tool in rustc's place (`RUSTC_WRAPPER`). For crates of the target it makes the crate's identity its
//! name and major version alone, so that a change of profile, of a dependency or of the checkout's path renames no
//! symbol; it keeps each crate to one object; and for an alternate build it puts an overlay in the place of a crate's
//! root file. Build scripts and procedural macros run on the host and are left alone.

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, ExitCode},
};

/// Set for the wrapper: the name of the alternate build, if it is one.
pub const ALTERNATE: &str = "MITOS_ALTERNATE";

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
    let target = value_after(&arguments, "--target").is_some_and(|target| target.ends_with(".json") || target.contains("mitos"));
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
    let overlay = overlay();
    arguments
        .iter()
        .map(|argument| match argument.to_str() {
            Some(text) if text.starts_with("metadata=") => format!("metadata={name}-{version}").into(),
            Some(text) if text.starts_with("codegen-units=") => "codegen-units=1".into(),
            Some(text) if text.ends_with("src/lib.rs") => match &overlay {
                Some(root) => root.clone().into_os_string(),
                None => argument.clone(),
            },
            _ => argument.clone(),
        })
        .collect()
}

/// The root file that the alternate build puts in the place of this crate's own, if it has one.
fn overlay() -> Option<PathBuf> {
    let alternate = std::env::var(ALTERNATE).ok()?;
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    let root = package.join("overlays").join(alternate).join("src/lib.rs");
    root.is_file().then_some(root)
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
