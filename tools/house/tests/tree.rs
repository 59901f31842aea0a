//! The pages of this tree, compared with its sources.

use std::path::{Path, PathBuf};

use house::invariants::{self, Sources};
use house::pages::PAGES;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_invariant_names_checks_that_exist() {
    let sources = Sources::read(&root()).unwrap();
    let mut complaints = Vec::new();
    for (invariant, number) in invariants::page(&root()).unwrap().iter().zip(1..) {
        if invariant.number != number {
            complaints.push(format!("the invariant after {} has the number {}", number - 1, invariant.number));
        }
        if invariant.checks.is_empty() {
            complaints.push(format!("invariant {number} names no check"));
        }
        let missing = invariant.checks.iter().filter_map(|check| sources.complaint(check));
        complaints.extend(missing.map(|complaint| format!("invariant {number}: {complaint}")));
    }
    assert!(complaints.is_empty(), "{}:\n{}", invariants::PAGE, complaints.join("\n"));
}

#[test]
fn there_are_as_many_invariants_as_promised() {
    assert!(invariants::page(&root()).unwrap().len() >= 40);
}

#[test]
fn pages_about_paths_name_each_file_once_and_stay_within_their_limits() {
    let mut complaints = Vec::new();
    for page in PAGES.into_iter().filter(|page| page.path(&root()).is_file()) {
        let found = page.complaints(&root()).unwrap();
        complaints.extend(found.into_iter().map(|complaint| format!("docs/paths/{}.md: {complaint}", page.name)));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
