//! `target/report/house.json`: how the tree reads and how far it can be trusted, in numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use build::Tree;
use house::{arguments, circles, invariants, pages, prose};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::report;

/// All numbers. A number that nothing has measured yet is absent.
#[derive(Serialize)]
struct House {
    /// Places with `unsafe` in our own cells, and the share of them that argue for themselves.
    unsafe_blocks: u32,
    unsafe_argued: f64,
    /// Safe functions that some application can reach.
    safe_reachable: Option<usize>,
    /// Hostile applications, and those of them that harmed nothing but themselves.
    hostile_tried: Option<u64>,
    hostile_harmless: Option<u64>,
    prose_per_1000: f64,
    prose_groups: BTreeMap<String, f64>,
    /// Sets of files that need each other.
    circles: usize,
    circle_files: Vec<Vec<String>>,
    files_swap_path: Option<usize>,
    files_fault_path: Option<usize>,
    files_message_path: Option<usize>,
    /// Size of `target` on the disk.
    target_bytes: u64,
    invariants: usize,
}

/// A function in `reach.json`.
#[derive(Deserialize)]
struct Reached {
    function: String,
    safe: bool,
}

/// What the run of the hostile applications leaves in `hostile.json`.
#[derive(Deserialize)]
struct Hostile {
    hostile_tried: u64,
    hostile_harmless: u64,
}

/// The report of this name, if there is one.
fn earlier<T: for<'de> Deserialize<'de>>(tree: &Tree, name: &str) -> Result<Option<T>, Failure> {
    match fs::read_to_string(tree.root.join("target/report").join(name)) {
        Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
        Err(_) => Ok(None),
    }
}

/// Measures the tree and writes the report. What only a build or a test can tell is taken from the reports that the last one
/// left.
pub(crate) fn write(tree: &Tree) -> Result<prose::Report, Failure> {
    let root = &tree.root;
    let prose = prose::measure(root)?;
    let arguments = arguments::measure(root)?;
    let circles = circles::measure(root)?;
    let safe_reachable = earlier::<BTreeMap<String, Vec<Reached>>>(tree, "reach.json")?.map(|applications| {
        let functions = applications.into_values().flatten().filter(|one| one.safe);
        functions.map(|one| one.function).collect::<BTreeSet<_>>().len()
    });
    let hostile: Option<Hostile> = earlier(tree, "hostile.json")?;
    let [swap, fault, message] = pages::PAGES
        .map(|page| page.path(root).is_file().then(|| page.sources(root).map(|sources| sources.len())).transpose());
    let house = House {
        unsafe_blocks: arguments.places,
        unsafe_argued: share(arguments.argued, arguments.places),
        safe_reachable,
        hostile_tried: hostile.as_ref().map(|hostile| hostile.hostile_tried),
        hostile_harmless: hostile.as_ref().map(|hostile| hostile.hostile_harmless),
        prose_per_1000: rounded(prose.all.per_1000()),
        prose_groups: prose.groups.iter().map(|(group, prose)| (group.clone(), rounded(prose.per_1000()))).collect(),
        circles: circles.len(),
        circle_files: circles
            .iter()
            .map(|circle| circle.iter().map(|path| path.display().to_string()).collect())
            .collect(),
        files_swap_path: swap?,
        files_fault_path: fault?,
        files_message_path: message?,
        target_bytes: disk_use(&root.join("target"), &mut BTreeSet::new()),
        invariants: invariants::page(root)?.len(),
    };
    report::write(tree, "house.json", &house)?;
    Ok(prose)
}

fn share(part: u32, whole: u32) -> f64 {
    if whole == 0 { 1.0 } else { rounded(f64::from(part) / f64::from(whole)) }
}

/// To three digits after the point.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Bytes on the disk below `folder`; a file with several names counts once. What disappears meanwhile does not count.
fn disk_use(folder: &Path, seen: &mut BTreeSet<u64>) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut bytes = 0;
    for entry in entries {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            bytes += disk_use(&entry.path(), seen);
        } else if seen.insert(metadata.ino()) {
            // `blocks` counts in units of 512 bytes, not in the file system's own.
            bytes += metadata.blocks() * 512;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_and_nothing_is_all_of_nothing() {
        assert_eq!((share(2, 3), share(0, 0)), (0.667, 1.0));
    }

    #[test]
    fn a_file_with_two_names_counts_once() {
        let folder = std::env::temp_dir().join(format!("mitos-house-{}", std::process::id()));
        fs::create_dir_all(folder.join("inner")).unwrap();
        fs::write(folder.join("one"), [7; 10_000]).unwrap();
        let one = disk_use(&folder, &mut BTreeSet::new());
        fs::hard_link(folder.join("one"), folder.join("inner/two")).unwrap();
        let two = disk_use(&folder, &mut BTreeSet::new());
        fs::remove_dir_all(&folder).unwrap();
        assert!(one >= 10_000, "{one}");
        assert_eq!(one, two);
    }
}
