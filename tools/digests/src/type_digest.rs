//! Structural digests of types, statics and signatures from a tree of debug entries.
//!
//! A type's digest covers what its bytes mean: size, alignment, members with offset and type, variants with discriminant
//! values. What lies behind a pointer counts by name only, for it has a digest of its own; so the recursion ends.

use std::collections::HashMap;

use gimli::DwTag;
use manifest::{ShortDigest as Digest, Structure};

use crate::debug_info::Tree;
use crate::entry_points::FunctionType;
use crate::hash::Hasher;
use crate::structure::{Collector, belongs_to_toolchain};

pub(crate) struct TypeDigests<'t, 'a> {
    pub(crate) tree: &'t Tree<'a>,
    known: HashMap<usize, Digest>,
}

impl<'t, 'a> TypeDigests<'t, 'a> {
    pub(crate) fn new(tree: &'t Tree<'a>) -> Self {
        Self { tree, known: HashMap::new() }
    }

    pub(crate) fn collect(&mut self, collector: &mut Collector) {
        for index in 0..self.tree.nodes.len() {
            match self.tree.nodes[index].tag {
                gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_enumeration_type => {
                    self.collect_type(index, collector);
                }
                gimli::DW_TAG_variable => self.collect_static(index, collector),
                gimli::DW_TAG_subprogram => self.collect_signature(index, collector),
                _ => {}
            }
        }
    }

    fn collect_type(&mut self, index: usize, collector: &mut Collector) {
        let tree = self.tree;
        let node = &tree.nodes[index];
        // The variants of an enum are types of their own in the debug information only.
        let is_variant = node.parent.is_some_and(|parent| is_compound(tree.nodes[parent].tag));
        // A type without members and size is behind a pointer of unknown layout: `dyn Trait`, `str`, extern types.
        let is_opaque = node.size.unwrap_or(0) == 0 && node.children.is_empty();
        let is_reference = node.parent.is_some_and(|parent| tree.nodes[parent].tag == gimli::DW_TAG_compile_unit);
        if is_variant || is_opaque || is_reference {
            return;
        }
        let path = path(self.tree, index);
        if !belongs_to_toolchain(&path) {
            let digest = self.digest(index);
            collector.add(Structure::Type, path, digest);
        }
    }

    fn collect_static(&mut self, index: usize, collector: &mut Collector) {
        let Some(name) = self.tree.inherited(index, |node| node.linkage_name.clone()) else { return };
        let mut hasher = Hasher::new("static");
        self.hash_reference(&mut hasher, self.tree.inherited(index, |node| node.of_type));
        collector.add(Structure::Static, name.into_owned(), hasher.finish());
    }

    fn collect_signature(&mut self, index: usize, collector: &mut Collector) {
        let tree = self.tree;
        if !tree.nodes[index].is_code {
            return;
        }
        let Some(name) = tree.inherited(index, |node| node.linkage_name.clone()) else { return };
        let digest = self.function_digest(&FunctionType::of_function(tree, index));
        collector.add(Structure::Signature, name.into_owned(), digest);
    }

    /// Name and digest of the type at an offset; no type is `()`.
    pub(crate) fn hash_reference(&mut self, hasher: &mut Hasher, offset: Option<gimli::UnitOffset>) {
        match offset.and_then(|offset| self.tree.at(offset)) {
            Some(index) => {
                let digest = self.digest(index);
                hasher.text(&self.type_name(index)).digest(&digest);
            }
            None => {
                hasher.text("()");
            }
        }
    }

    fn digest(&mut self, index: usize) -> Digest {
        if let Some(digest) = self.known.get(&index) {
            return *digest;
        }
        let tree = self.tree;
        let node = &tree.nodes[index];
        let mut hasher = Hasher::new(node.tag.static_string().unwrap_or("other"));
        hasher.number(node.size.unwrap_or(0)).number(node.alignment.unwrap_or(0));
        match node.tag {
            gimli::DW_TAG_pointer_type => {
                let pointee = node.of_type.and_then(|offset| tree.at(offset));
                hasher.text(&pointee.map_or_else(|| "()".into(), |pointee| self.type_name(pointee)));
            }
            gimli::DW_TAG_base_type => {
                hasher.text(node.name.as_deref().unwrap_or("")).number(node.encoding.unwrap_or(0));
            }
            gimli::DW_TAG_array_type => {
                hasher.text(&self.type_name(index));
                self.hash_reference(&mut hasher, node.of_type);
            }
            gimli::DW_TAG_subroutine_type => {
                hasher.text(&self.type_name(index));
            }
            _ => self.hash_members(&mut hasher, index),
        }
        let digest = hasher.finish();
        self.known.insert(index, digest);
        digest
    }

    /// Members, variants and enumerators. Their order in the source does not matter where their offset or value is given.
    fn hash_members(&mut self, hasher: &mut Hasher, index: usize) {
        let tree = self.tree;
        if let Some(discriminant) = tree.nodes[index].discriminant.and_then(|offset| tree.at(offset)) {
            hasher.text("discriminant").number(tree.nodes[discriminant].value.unwrap_or(0));
            self.hash_reference(hasher, tree.nodes[discriminant].of_type);
        }
        let mut members = Vec::new();
        for &child in &tree.nodes[index].children {
            let node = &tree.nodes[child];
            let mut member = Hasher::new(node.tag.static_string().unwrap_or("other"));
            member.text(node.name.as_deref().unwrap_or(""));
            member.number(u64::from(node.value.is_some())).number(node.value.unwrap_or(0));
            match node.tag {
                gimli::DW_TAG_member => self.hash_reference(&mut member, node.of_type),
                gimli::DW_TAG_variant_part | gimli::DW_TAG_variant => self.hash_members(&mut member, child),
                gimli::DW_TAG_enumerator => {}
                // Variant types are reached through the members that have them.
                _ => continue,
            }
            members.push((node.value, member.finish()));
        }
        members.sort_unstable();
        hasher.number(members.len() as u64);
        for (_, digest) in members {
            hasher.digest(&digest);
        }
    }

    /// The name of any type, also of those that the debug information gives none.
    pub(crate) fn type_name(&self, index: usize) -> String {
        let tree = self.tree;
        let node = &tree.nodes[index];
        let target = || match node.of_type.and_then(|offset| tree.at(offset)) {
            Some(target) => self.type_name(target),
            None => "()".to_owned(),
        };
        match node.tag {
            gimli::DW_TAG_array_type => {
                let count = node.children.first().and_then(|range| tree.nodes[*range].value);
                format!("[{}; {}]", target(), count.unwrap_or(0))
            }
            gimli::DW_TAG_subroutine_type => {
                let parameters: Vec<String> = node
                    .children
                    .iter()
                    .map(|parameter| match tree.nodes[*parameter].of_type.and_then(|offset| tree.at(offset)) {
                        Some(parameter) => self.type_name(parameter),
                        None => "()".to_owned(),
                    })
                    .collect();
                format!("fn({}) -> {}", parameters.join(", "), target())
            }
            gimli::DW_TAG_pointer_type if node.name.is_none() => format!("*{}", target()),
            _ => path(self.tree, index),
        }
    }
}

fn is_compound(tag: DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_structure_type
            | gimli::DW_TAG_union_type
            | gimli::DW_TAG_enumeration_type
            | gimli::DW_TAG_variant_part
            | gimli::DW_TAG_variant
    )
}

/// The parameters of the function at `index`.
pub(crate) fn parameters(tree: &Tree<'_>, index: usize) -> Vec<usize> {
    let of = |index: usize| -> Vec<usize> {
        let tag = |child: &usize| tree.nodes[*child].tag == gimli::DW_TAG_formal_parameter;
        tree.nodes[index].children.iter().copied().filter(tag).collect()
    };
    let mut longest = of(index);
    let mut at = index;
    while let Some(origin) = tree.nodes[at].origin.and_then(|offset| tree.at(offset)) {
        let parameters = of(origin);
        if parameters.len() > longest.len() {
            longest = parameters;
        }
        at = origin;
    }
    longest
}

/// The path of the entry at `index` from the crate down.
pub(crate) fn path(tree: &Tree<'_>, index: usize) -> String {
    let mut parts = Vec::new();
    let mut at = Some(index);
    while let Some(index) = at {
        let node = &tree.nodes[index];
        if node.tag == gimli::DW_TAG_compile_unit {
            break;
        }
        if let Some(name) = tree.inherited(index, |node| node.name.clone()) {
            parts.push(name);
        }
        at = node.parent;
    }
    parts.reverse();
    parts.join("::")
}
