//! What TOML files say: those of the build, and the dependencies that crates name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use toml::{Table, Value};

use crate::BuildError;

/// Reads the TOML file at `path`.
///
/// # Errors
/// [`BuildError::File`], [`BuildError::Toml`].
pub(crate) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, BuildError> {
    let text = fs::read_to_string(path).map_err(|source| BuildError::file(path, source))?;
    toml::from_str(&text).map_err(|source| BuildError::Toml { path: path.to_owned(), source: Box::new(source) })
}

/// The crates that a manifest names as dependencies, for any target, by their own names.
pub(crate) fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let of_targets = targets.filter_map(|(_, target)| target.as_table()).flat_map(named_dependencies);
    named_dependencies(manifest).into_iter().chain(of_targets).map(|(_, name)| name).collect()
}

/// The crates that a manifest names as dependencies for all targets: the name by which the sources know each, and its own.
pub(crate) fn named_dependencies(manifest: &Table) -> BTreeMap<String, String> {
    let listed = manifest.get("dependencies").and_then(Value::as_table).into_iter().flatten();
    let names = listed.map(|(name, details)| (name, details.get("package").and_then(Value::as_str).unwrap_or(name)));
    names.map(|(name, package)| (name.replace('-', "_"), package.replace('-', "_"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_known_by_its_own_name() {
        let manifest = "[dependencies]\nplain = \"1\"\nother = { package = \"real-name\", path = \"x\" }\n\
            [target.'cfg(all())'.dependencies]\nhidden = { path = \"y\" }\n[dev-dependencies]\ntests = \"1\"";
        let found = dependencies(&toml::from_str(manifest).unwrap());
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["hidden", "plain", "real_name"]);
    }
}
