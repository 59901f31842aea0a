//! What the manifest says about a cell beside its object: digests, `unsafe`, licence. Refuses a cell that could not be
//! unwound through.

use std::fs;
use std::path::Path;

use digests::ObjectDigests;
use serde::Deserialize;

use crate::{BuildError, cells::Cell, compile::Library, manifests::read};

/// The licence of the tree's own crates: their manifests refer to the workspace for it.
const OWN_LICENSE: &str = "MIT OR Apache-2.0";

/// The digests of a cell, taken from the object with debug information.
///
/// # Errors
/// Damaged debug information, or text without frame entries: the unwinder would stop there.
pub fn digests(cell: &Cell) -> Result<ObjectDigests, BuildError> {
    let failed = |source| BuildError::Digests { cell: cell.name().to_owned(), source };
    let full = fs::read(&cell.full_object).map_err(|source| BuildError::file(&cell.full_object, source))?;
    if let Some(gap) = digests::frames::gaps(&full).map_err(failed)?.into_iter().next() {
        return Err(BuildError::Frames { cell: cell.name().to_owned(), gap });
    }
    let digests = digests::of_object(&full).map_err(failed)?;
    let packed = cell.object()?.sections.len();
    if packed != digests.sections.len() {
        return Err(BuildError::Stripped { cell: cell.name().to_owned(), full: digests.sections.len(), packed });
    }
    Ok(digests)
}

/// What the sources say about `unsafe`: whether the compiler is told to refuse it, and in how many places it is.
///
/// # Errors
/// Sources that cannot be read.
pub fn survey(library: &Library) -> Result<(bool, u32), BuildError> {
    let survey = sources::survey(&library.source).map_err(BuildError::Survey)?;
    Ok((survey.forbids_unsafe, survey.unsafe_places))
}

/// The licence in the package's manifest; empty if it gives none.
///
/// # Errors
/// A manifest that cannot be read.
pub fn license(manifest: &Path) -> Result<String, BuildError> {
    let text = fs::read_to_string(manifest).map_err(|source| BuildError::file(manifest, source))?;
    Ok(license_in(&text).unwrap_or_default().to_owned())
}

/// The part of a cell's manifest that is for this build.
#[derive(Deserialize)]
struct CellManifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    mitos: Wishes,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Wishes {
    stack_size: Option<u32>,
}

/// The bytes of stack that an application's manifest asks for: `stack-size` in `[package.metadata.mitos]`.
///
/// # Errors
/// The manifest cannot be read, or has no number of bytes there.
pub fn stack_size(manifest: &Path) -> Result<Option<u32>, BuildError> {
    Ok(read::<CellManifest>(manifest)?.package.metadata.mitos.stack_size)
}

fn license_in(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        match key.trim() {
            "license" if value.contains("workspace") => Some(OWN_LICENSE),
            "license.workspace" => Some(OWN_LICENSE),
            "license" => value.trim().strip_prefix('"')?.strip_suffix('"'),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_as_large_as_the_manifest_says() {
        let of = |text: &str| toml::from_str::<CellManifest>(text).map(|found| found.package.metadata.mitos.stack_size);
        let package = "[package]\nname = \"a\"\nversion.workspace = true\n";
        assert_eq!(of(package), Ok(None));
        assert_eq!(of(&format!("{package}[package.metadata.mitos]\nstack-size = 131072\n")), Ok(Some(131_072)));
        assert!(of(&format!("{package}[package.metadata.mitos]\nstack-size = \"large\"\n")).is_err());
    }

    #[test]
    fn a_licence_is_found_in_every_way_of_writing_it() {
        assert_eq!(license_in("[package]\nname = \"a\"\nlicense = \"MIT\"\n"), Some("MIT"));
        assert_eq!(license_in("license.workspace = true"), Some(OWN_LICENSE));
        assert_eq!(license_in("license = { workspace = true }"), Some(OWN_LICENSE));
        assert_eq!(license_in("license-file = \"LICENSE\""), None);
    }
}
