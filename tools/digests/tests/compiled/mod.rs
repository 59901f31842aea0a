//! Objects of small crates, compiled as in the real build.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The object of a crate with this source.
#[allow(dead_code, reason = "each test file uses one of both functions")]
pub fn compile(source: &str) -> Vec<u8> {
    compile_as("sample", source)
}

/// The object of the crate `name` with this source.
pub fn compile_as(name: &str, source: &str) -> Vec<u8> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", env!("CARGO_CRATE_NAME")));
    std::fs::create_dir_all(&folder).unwrap();
    let input = folder.join("sample.rs");
    let output = folder.join("sample.o");
    std::fs::write(&input, format!("#![no_std]\n#![feature(thread_local)]\n#![allow(dead_code)]\n{source}")).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let result = Command::new(rustc)
        // Unstable flags on the pinned compiler, as in the real build.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["--edition=2024", "--crate-type=lib", "--emit=obj", "-Copt-level=2", "-Cdebuginfo=2"])
        .args(["-Ccodegen-units=1", "-Csymbol-mangling-version=v0", "-Ccode-model=kernel", "-Crelocation-model=static"])
        .args(["-Cforce-unwind-tables=yes", "-Zcross-crate-inline-threshold=never", "-Cmetadata=sample"])
        .arg(format!("--crate-name={name}"))
        .arg("-Ztls-model=local-exec")
        .arg(format!("--remap-path-prefix={}=/sample", folder.display()))
        .arg("-o")
        .arg(&output)
        .arg(&input)
        .output()
        .unwrap();
    assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
    std::fs::read(output).unwrap()
}
