//! Functions that are compiled into others.

use std::collections::{BTreeMap, BTreeSet};

use gimli::DwTag;

use crate::DigestError;
use crate::debug_info::{Tree, walk};

/// For the linkage name of each function with code, the linkage names of those that the compiler put into it.
///
/// # Errors
/// The object or its debug information is damaged.
pub fn functions(file: &[u8]) -> Result<BTreeMap<String, BTreeSet<String>>, DigestError> {
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    walk(file, is_function, &mut |tree| collect(tree, &mut found))?;
    Ok(found)
}

fn is_function(tag: DwTag, _: Option<DwTag>) -> bool {
    matches!(tag, gimli::DW_TAG_subprogram | gimli::DW_TAG_inlined_subroutine)
}

fn collect(tree: &Tree<'_>, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let name = |index| tree.inherited(index, |node| node.linkage_name.clone());
    for (index, node) in tree.nodes.iter().enumerate().filter(|(_, node)| node.tag == gimli::DW_TAG_inlined_subroutine)
    {
        let mut outer = node.parent;
        while let Some(inlined) = outer.filter(|&outer| tree.nodes[outer].tag == gimli::DW_TAG_inlined_subroutine) {
            outer = tree.nodes[inlined].parent;
        }
        if let (Some(inlined), Some(outer)) = (name(index), outer.and_then(name)) {
            found.entry(outer.into_owned()).or_default().insert(inlined.into_owned());
        }
    }
}
