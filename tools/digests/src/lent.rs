//! Functions that were lent nothing that they could change.
//!
//! From the types of its parameters: such a function, if its code is safe, finds its callers' values as they are and leaves them
//! so, between any two instructions. What it owns itself does not count, nor do atomics, which are whole at any time.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::debug_info::Tree;
use crate::type_digest::{parameters, path};

/// Enters the linkage names of all functions with code, each with whether it was lent nothing that it could change. Of
/// several of one name all have to be like that.
pub(crate) fn collect(tree: &Tree<'_>, functions: &mut BTreeMap<String, bool>) {
    for (index, node) in tree.nodes.iter().enumerate() {
        if node.tag != gimli::DW_TAG_subprogram || !node.is_code {
            continue;
        }
        let Some(name) = tree.inherited(index, |node| node.linkage_name.clone()) else { continue };
        let unchangeable = |&parameter: &usize| {
            let of_type = tree.inherited(parameter, |node| node.of_type).and_then(|offset| tree.at(offset));
            of_type.is_some_and(|of_type| is_unchangeable(tree, of_type, &mut HashSet::new()))
        };
        let isolated = parameters(tree, index).iter().all(unchangeable);
        functions.entry(name.into_owned()).and_modify(|all| *all &= isolated).or_insert(isolated);
    }
}

/// The names for which that holds.
pub(crate) fn isolated(functions: BTreeMap<String, bool>) -> BTreeSet<String> {
    functions.into_iter().filter_map(|(name, isolated)| isolated.then_some(name)).collect()
}

/// Whether nothing that others have can be changed through a value of this type. A type that contains itself is `open`
/// when it is met again, and decided by the rest.
fn is_unchangeable(tree: &Tree<'_>, index: usize, open: &mut HashSet<usize>) -> bool {
    if !open.insert(index) {
        return true;
    }
    let node = &tree.nodes[index];
    let mut target = || {
        let target = node.of_type.and_then(|offset| tree.at(offset));
        target.is_some_and(|target| is_unchangeable(tree, target, open))
    };
    let name = path(tree, index);
    match node.tag {
        gimli::DW_TAG_base_type | gimli::DW_TAG_enumeration_type => true,
        gimli::DW_TAG_array_type => target(),
        gimli::DW_TAG_pointer_type => match Pointer::of(&name) {
            Pointer::Shared | Pointer::Owned => target(),
            Pointer::Other => false,
        },
        gimli::DW_TAG_structure_type if is_atomic(&name) => true,
        gimli::DW_TAG_structure_type if name.starts_with("core::cell::UnsafeCell<") => false,
        gimli::DW_TAG_structure_type if name.starts_with('&') => is_unchangeable_slice(tree, index, &name, open),
        gimli::DW_TAG_structure_type | gimli::DW_TAG_variant_part | gimli::DW_TAG_variant => {
            node.children.iter().all(|&child| match tree.nodes[child].tag {
                gimli::DW_TAG_member => {
                    let of_type = tree.nodes[child].of_type.and_then(|offset| tree.at(offset));
                    of_type.is_some_and(|of_type| is_unchangeable(tree, of_type, open))
                }
                gimli::DW_TAG_variant_part | gimli::DW_TAG_variant => is_unchangeable(tree, child, open),
                // Types of variants are reached through the members that have them; functions of a type are no part of it.
                _ => true,
            })
        }
        _ => false,
    }
}

/// The kind of a pointer, as its name tells it.
enum Pointer {
    /// `&T`.
    Shared,
    /// `Box<T>`: its holder owns the value behind it.
    Owned,
    /// `&mut T`, `*const T`, `*mut T`, the pointers within other types.
    Other,
}

impl Pointer {
    fn of(name: &str) -> Self {
        match name {
            _ if name.starts_with("&mut ") => Self::Other,
            _ if name.starts_with('&') => Self::Shared,
            _ if name.starts_with("alloc::boxed::Box<") => Self::Owned,
            _ => Self::Other,
        }
    }
}

/// A shared slice or `str`: a pointer to the elements and their number. Not a trait object: its methods could do anything.
fn is_unchangeable_slice(tree: &Tree<'_>, index: usize, name: &str, open: &mut HashSet<usize>) -> bool {
    if name.starts_with("&mut ") {
        return false;
    }
    let members = &tree.nodes[index].children;
    let is_called = |member: &usize, called: &str| tree.nodes[*member].name.as_deref() == Some(called);
    let elements = members.iter().find(|member| is_called(member, "data_ptr"));
    let has_length = members.iter().any(|member| is_called(member, "length"));
    let pointee = |&member: &usize| {
        let pointer = tree.at(tree.nodes[member].of_type?)?;
        tree.at(tree.nodes[pointer].of_type?)
    };
    has_length && elements.and_then(pointee).is_some_and(|element| is_unchangeable(tree, element, open))
}

/// A number or truth value in an atomic. A pointer there leads to what others have.
fn is_atomic(name: &str) -> bool {
    let Some(atomic) = name.strip_prefix("core::sync::atomic::Atomic") else { return false };
    !atomic.starts_with("Ptr") && !atomic.contains('*')
}
