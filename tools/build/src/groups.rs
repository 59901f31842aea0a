//! The order of the groups of cells, `build/groups.toml`, and the check that no cell reaches up in it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    BuildError, Tree,
    cells::Cell,
    manifests::{dependencies, read},
};

/// Groups that are no folders under `cells/`.
const OTHERS: [&str; 4] = ["applications", "kernel", "packages", "rust"];

/// The groups under `cells/`, each before those that may use it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Groups {
    order: Vec<String>,
}

impl Groups {
    fn level(&self, group: &str) -> Option<usize> {
        self.order.iter().position(|name| name == group)
    }

    /// The first cell of a later group that one of `group` uses, of those in `used`, and its group.
    fn reached_up<'a>(
        &self,
        group: &str,
        used: &'a BTreeSet<String>,
        groups: &BTreeMap<&str, &'a str>,
    ) -> Option<(&'a str, &'a str)> {
        let of_cells = used.iter().filter_map(|name| Some((name.as_str(), *groups.get(name.as_str())?)));
        of_cells.into_iter().find(|(_, above)| self.level(above) > self.level(group))
    }
}

/// The names of all groups, from the bottom up.
///
/// # Errors
/// `build/groups.toml` cannot be read.
pub fn order(tree: &Tree) -> Result<Vec<String>, BuildError> {
    read(&tree.root.join("build/groups.toml")).map(|groups: Groups| groups.order)
}

/// Refuses cells that depend on a cell of a later group.
///
/// # Errors
/// [`BuildError::ReachesUp`], [`BuildError::UnknownGroup`]; files that cannot be read.
pub fn check(tree: &Tree, cells: &[Cell]) -> Result<(), BuildError> {
    let order: Groups = read(&tree.root.join("build/groups.toml"))?;
    let ours = || cells.iter().filter(|cell| !OTHERS.contains(&cell.group.as_str()));
    if let Some(cell) = ours().find(|cell| order.level(&cell.group).is_none()) {
        return Err(BuildError::UnknownGroup { cell: cell.name().to_owned(), group: cell.group.clone() });
    }
    let groups: BTreeMap<_, _> = ours().map(|cell| (cell.name(), cell.group.as_str())).collect();
    for cell in ours() {
        let used = dependencies(&read(&cell.library.manifest)?);
        if let Some((used, used_group)) = order.reached_up(&cell.group, &used, &groups) {
            return Err(BuildError::ReachesUp {
                cell: cell.name().to_owned(),
                group: cell.group.clone(),
                used: used.to_owned(),
                used_group: used_group.to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_later_groups_are_out_of_reach() {
        let order: Groups = toml::from_str("order = [\"arch\", \"memory\", \"tasks\"]").unwrap();
        let groups = BTreeMap::from([("clock", "arch"), ("frames", "memory"), ("scheduler", "tasks")]);
        let used = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let below = used(&["clock", "frames", "log"]);
        assert_eq!(order.reached_up("memory", &below, &groups), None);
        let above = used(&["clock", "scheduler"]);
        assert_eq!(order.reached_up("memory", &above, &groups), Some(("scheduler", "tasks")));
    }
}
