//! What TOML files say: those of the build, and the dependencies that crates name.

use std::{collections::BTreeSet, fs, path::Path};

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
    let of = |table: &Table| -> Vec<String> {
        let listed = table.get("dependencies").and_then(Value::as_table).into_iter().flatten();
        listed
            .map(|(name, details)| details.get("package").and_then(Value::as_str).unwrap_or(name).replace('-', "_"))
            .collect()
    };
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let of_targets = targets.filter_map(|(_, target)| target.as_table()).flat_map(of);
    of(manifest).into_iter().chain(of_targets).collect()
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
