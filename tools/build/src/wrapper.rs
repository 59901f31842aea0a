//! What stands between cargo and rustc.
//!
//! Cargo runs this tool in rustc's place (`RUSTC_WRAPPER`). For crates of the target it makes the crate's identity its
//! name and major version alone, so that a change of profile, of a dependency or of the checkout's path renames no
//! symbol; it keeps each crate to one object; it names sources without the paths of this machine; it forbids `unsafe` to applications; and it keeps the [`Invocation`]
//! for alternates. Build scripts and procedural macros run on the host and are left alone.

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Command, ExitCode, ExitStatus},
};

use crate::{files, invocation::Invocation};

/// Set for the wrapper, so that the tool knows it was called by cargo.
pub const ACTIVE: &str = "MITOS_WRAPPER";

/// Set for the wrapper: the folder of the checkout.
pub const ROOT: &str = "MITOS_ROOT";

/// Set for the wrapper: prefixes of paths and what stands for them in an object, `FROM=TO`, one a line.
pub const PREFIXES: &str = "MITOS_PREFIXES";

/// Set for the wrapper: the folder for [`Invocation`]s, if they are to be kept.
pub const INVOCATIONS: &str = "MITOS_INVOCATIONS";

/// The folders of applications, as paths in the tree.
const APPLICATIONS: [&str; 3] = ["applications", "tests/applications", "tests/hostile"];

/// Flags of applications, whose isolation is the compiler's work: no `unsafe`, whatever their sources say of that lint, and
/// no unstable feature but the one that thread locals need, for some of the others are unsound in safe code.
pub const APPLICATION_FLAGS: [&str; 2] = ["-Funsafe_code", "-Zallow-features=thread_local"];

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
    let mut arguments: Vec<OsString> = arguments.collect();
    let krate = value_after(&arguments, "--crate-name");
    let target =
        value_after(&arguments, "--target").is_some_and(|target| target.ends_with(".json") || target.contains("mitos"));
    if let Some(krate) = krate.as_deref().filter(|_| target) {
        arguments = rewrite(krate, &arguments);
        if let Err(error) = keep(krate, &arguments) {
            eprintln!("mitos: {error}");
            return ExitCode::FAILURE;
        }
    }
    match Command::new(&rustc).args(&arguments).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            if let Some(end) = killed(status) {
                eprintln!("mitos: the compiler of crate {} {end}", krate.as_deref().unwrap_or("?"));
            }
            u8::try_from(status.code().unwrap_or(1)).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!("mitos: cannot run {}: {error}", rustc.display());
            ExitCode::FAILURE
        }
    }
}

/// How a process ended that a signal ended; none for one that ended by itself.
#[must_use]
pub fn killed(status: ExitStatus) -> Option<String> {
    let number = status.signal()?;
    // The numbers of Linux on x86-64, signal(7).
    let (name, why) = match number {
        2 => ("SIGINT", "interrupted at the terminal"),
        4 => ("SIGILL", "an instruction that this processor lacks"),
        6 => ("SIGABRT", "it gave up by itself"),
        7 => ("SIGBUS", "a page of a file could not be read; is the disk full?"),
        9 => ("SIGKILL", "most often for want of memory"),
        11 => ("SIGSEGV", "most often a stack overflow or a defect of the compiler"),
        15 => ("SIGTERM", "asked to end"),
        24 => ("SIGXCPU", "over the limit of processor time"),
        25 => ("SIGXFSZ", "over the limit of a file's size"),
        _ => return Some(format!("was ended by signal {number}")),
    };
    Some(format!("was ended by signal {name} ({number}): {why}"))
}

fn value_after(arguments: &[OsString], option: &str) -> Option<String> {
    let position = arguments.iter().position(|argument| argument == option)?;
    arguments.get(position + 1)?.to_str().map(str::to_owned)
}

fn rewrite(krate: &str, arguments: &[OsString]) -> Vec<OsString> {
    let version = identity(&std::env::var("CARGO_PKG_VERSION").unwrap_or_default());
    let changed = arguments.iter().map(|argument| match argument.to_str() {
        Some(text) if text.starts_with("metadata=") => format!("metadata={krate}-{version}").into(),
        Some(text) if text.starts_with("codegen-units=") => "codegen-units=1".into(),
        _ => argument.clone(),
    });
    let prefixes = std::env::var(PREFIXES).unwrap_or_default();
    let prefixes = prefixes.lines().map(|prefix| OsString::from(format!("--remap-path-prefix={prefix}")));
    let flags: &[&str] = if is_application() { &APPLICATION_FLAGS } else { &[] };
    changed.chain(prefixes).chain(flags.iter().map(OsString::from)).collect()
}

/// Whether cargo has an application compiled.
fn is_application() -> bool {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let (Some(package), Some(root)) = (folder("CARGO_MANIFEST_DIR"), folder(ROOT)) else { return false };
    APPLICATIONS.iter().any(|folder| package.starts_with(root.join(folder)))
}

fn keep(krate: &str, arguments: &[OsString]) -> Result<(), crate::BuildError> {
    let Some(folder) = std::env::var_os(INVOCATIONS).map(PathBuf::from) else { return Ok(()) };
    let arguments = arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let root = std::env::var_os(ROOT).map(PathBuf::from).unwrap_or_default();
    let text =
        serde_json::to_vec(&Invocation::of_this_process(arguments, root)).map_err(crate::BuildError::Messages)?;
    files::write(&Invocation::path(&folder, krate), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_ends_with_the_first_number_that_is_not_zero() {
        assert_eq!(identity("1.2.3"), "1");
        assert_eq!(identity("0.4.5"), "0.4");
        assert_eq!(identity("0.0.6"), "0.0.6");
        assert_eq!(identity("0.0.0"), "0.0.0");
        assert_eq!(identity("2.0.0-pre1+build"), "2");
    }

    #[test]
    fn a_signal_has_a_name() {
        let of_shell = |script: &str| killed(Command::new("sh").args(["-c", script]).status().unwrap());
        assert!(of_shell("kill -SEGV $$").unwrap().contains("SIGSEGV (11)"));
        assert!(of_shell("kill -USR1 $$").unwrap().ends_with("signal 10"));
        assert_eq!(of_shell("exit 1"), None);
    }
}
