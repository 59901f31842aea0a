//! Pages that follow one path through the sources (`docs/paths`): each names every file on the path once, as a link.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{HouseError, read};

/// A page about a path.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Its name, without `.md`.
    pub name: &'static str,
    /// The path leads through no more files.
    pub limit: usize,
}

/// All pages.
pub const PAGES: [Page; 3] =
    [Page { name: "swap", limit: 20 }, Page { name: "fault", limit: 15 }, Page { name: "message", limit: 10 }];

impl Page {
    /// Where the page is in the tree at `root`.
    #[must_use]
    pub fn path(self, root: &Path) -> PathBuf {
        root.join("docs/paths").join(self.name).with_extension("md")
    }

    /// The sources that the page names, in its order, as paths from the page's folder.
    ///
    /// # Errors
    /// The page cannot be read.
    pub fn sources(self, root: &Path) -> Result<Vec<String>, HouseError> {
        Ok(sources(&read(&self.path(root))?))
    }

    /// What is wrong with the page: sources that it names twice or that do not exist, too many of them.
    ///
    /// # Errors
    /// The page cannot be read.
    pub fn complaints(self, root: &Path) -> Result<Vec<String>, HouseError> {
        let path = self.path(root);
        let folder = path.parent().unwrap_or(root);
        let sources = self.sources(root)?;
        let mut seen = BTreeSet::new();
        let mut complaints = Vec::new();
        for source in &sources {
            if !folder.join(source).is_file() {
                complaints.push(format!("{source} does not exist"));
            }
            if !seen.insert(source) {
                complaints.push(format!("{source} is named twice"));
            }
        }
        if sources.len() > self.limit {
            complaints.push(format!("{} files are named, at most {} may be", sources.len(), self.limit));
        }
        if sources.is_empty() {
            complaints.push("no file is named".to_owned());
        }
        Ok(complaints)
    }
}

/// The targets of links to sources, without a place in the file.
fn sources(page: &str) -> Vec<String> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let files = targets.map(|(target, _)| target.split('#').next().unwrap_or_default());
    files.filter(|file| file.ends_with(".rs") || file.ends_with(".s")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_sources_are_found() {
        let page = "See [`load`](../../cells/a/src/load.rs#L5), [x](x.md) and\n[b](b.rs) and `c.rs`.";
        assert_eq!(sources(page), ["../../cells/a/src/load.rs", "b.rs"]);
    }
}
