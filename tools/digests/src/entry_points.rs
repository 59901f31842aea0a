//! The types of functions that are called by a name in the manifest, and the types that their callers expect.
//!
//! A function states its type in its own debug information. A caller states it as a static of the type
//! `entry_point::Expected<F>`; the debug information of that type has the function pointer `F`. Both are reduced to the same terms:
//! the result, whether there is one, and the parameters. Lifetimes, `unsafe` and the calling convention are not in debug
//! information; the compiler compares those (`Expected::accepts`).

use std::collections::BTreeMap;

use gimli::UnitOffset;
use manifest::{ShortDigest, Signature};

use crate::debug_info::Tree;
use crate::hash::Hasher;
use crate::type_digest::{TypeDigests, parameters, path};

/// How the type of a static begins that states an expectation.
const EXPECTED: &str = "entry_point::Expected<";
/// The member of that type with elements of the expected type.
const TYPES: &str = "types";
/// How the debug information writes the type of an expression that never ends.
const NEVER: &str = "!";

/// What one object says of such functions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryPoints {
    /// The types of all functions at the root of the crate, by mangled name.
    pub functions: BTreeMap<String, Signature>,
    /// What this object expects of functions in others, by the path of the static that states it.
    pub expected: BTreeMap<String, Signature>,
}

/// The result and the parameters of a function.
pub(crate) struct FunctionType {
    /// No type is `()`.
    result: Option<UnitOffset>,
    /// It never returns.
    diverges: bool,
    parameters: Vec<Option<UnitOffset>>,
}

impl FunctionType {
    /// Of the function at `index`.
    pub(crate) fn of_function(tree: &Tree<'_>, index: usize) -> Self {
        // Parameters that optimisation removed are missing from the code's entry; its origin has them all.
        let parameters = parameters(tree, index).into_iter();
        Self {
            result: tree.inherited(index, |node| node.of_type),
            diverges: tree.inherited(index, |node| node.diverges.then_some(())).is_some(),
            parameters: parameters.map(|parameter| tree.inherited(parameter, |node| node.of_type)).collect(),
        }
    }

    /// Of the functions that a pointer to the type at `index` can point to.
    fn of_pointee(tree: &Tree<'_>, index: usize) -> Self {
        let node = &tree.nodes[index];
        let name = |offset| tree.at(offset).and_then(|index| tree.nodes[index].name.as_deref());
        let diverges = node.of_type.and_then(name) == Some(NEVER);
        let parameters = node.children.iter().map(|&parameter| tree.nodes[parameter].of_type);
        Self { result: node.of_type.filter(|_| !diverges), diverges, parameters: parameters.collect() }
    }
}

impl TypeDigests<'_, '_> {
    /// Equal for functions that can be called in the same way.
    pub(crate) fn function_digest(&mut self, function: &FunctionType) -> ShortDigest {
        let mut hasher = Hasher::new("signature");
        hasher.number(u64::from(function.diverges));
        self.hash_reference(&mut hasher, function.result);
        hasher.number(function.parameters.len() as u64);
        for &parameter in &function.parameters {
            self.hash_reference(&mut hasher, parameter);
        }
        hasher.finish()
    }

    /// The type as a programmer writes it.
    fn function_text(&self, function: &FunctionType) -> String {
        let name = |offset: Option<UnitOffset>| match offset.and_then(|offset| self.tree.at(offset)) {
            Some(index) => self.type_name(index),
            None => "()".to_owned(),
        };
        let parameters: Vec<String> = function.parameters.iter().map(|&parameter| name(parameter)).collect();
        let result = if function.diverges { NEVER.to_owned() } else { name(function.result) };
        format!("fn({}) -> {result}", parameters.join(", "))
    }

    fn signature(&mut self, function: &FunctionType) -> Signature {
        Signature { digest: self.function_digest(function), text: self.function_text(function) }
    }

    pub(crate) fn collect_entry_points(&mut self, found: &mut EntryPoints) {
        let tree = self.tree;
        for (index, node) in tree.nodes.iter().enumerate() {
            match node.tag {
                gimli::DW_TAG_subprogram if node.is_code && is_at_root(tree, index) => {
                    let Some(name) = tree.inherited(index, |node| node.linkage_name.clone()) else { continue };
                    let signature = self.signature(&FunctionType::of_function(tree, index));
                    found.functions.insert(name.into_owned(), signature);
                }
                gimli::DW_TAG_variable => {
                    let Some(pointee) = expected_pointee(tree, index) else { continue };
                    let signature = self.signature(&FunctionType::of_pointee(tree, pointee));
                    found.expected.insert(path(tree, index), signature);
                }
                _ => {}
            }
        }
    }
}

/// Whether the path of the entry at `index` is the crate and one name.
fn is_at_root(tree: &Tree<'_>, index: usize) -> bool {
    let tag = |index: usize| tree.nodes[index].tag;
    let Some(parent) = tree.nodes[index].parent.filter(|&parent| tag(parent) == gimli::DW_TAG_namespace) else {
        return false;
    };
    tree.nodes[parent].parent.is_some_and(|above| tag(above) == gimli::DW_TAG_compile_unit)
}

/// The type behind the function pointer that the static at `index` states as its expectation, if it is such a static.
fn expected_pointee(tree: &Tree<'_>, index: usize) -> Option<usize> {
    let of_type = |index: usize| tree.nodes[index].of_type.and_then(|offset| tree.at(offset));
    let stated = of_type(index).filter(|&stated| path(tree, stated).starts_with(EXPECTED))?;
    let is_types = |member: &&usize| tree.nodes[**member].name.as_deref() == Some(TYPES);
    let array = of_type(*tree.nodes[stated].children.iter().find(is_types)?)?;
    of_type(of_type(array)?).filter(|&pointee| tree.nodes[pointee].tag == gimli::DW_TAG_subroutine_type)
}
