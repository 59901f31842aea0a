//! Reports under `target/report`.

use std::fs;
use std::path::PathBuf;

use build::Tree;
use serde::Serialize;

use crate::failure::Failure;

/// Writes a report and says where.
pub(crate) fn write(tree: &Tree, name: &str, report: &impl Serialize) -> Result<PathBuf, Failure> {
    let folder = tree.root.join("target/report");
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let path = folder.join(name);
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    fs::write(&path, text).map_err(Failure::file(&path))?;
    Ok(path)
}
