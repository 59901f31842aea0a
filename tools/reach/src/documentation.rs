//! The public items of one cell, as rustdoc writes them in JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

/// Why the documentation of a cell cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// The file is not what rustdoc of the pinned toolchain writes.
    #[error("rustdoc's description cannot be read: {0}")]
    Format(#[from] serde_json::Error),
    /// The toolchain has another rustdoc than the one for which this crate is written.
    #[error("rustdoc describes crates in format {found}; this tool reads format {FORMAT}")]
    Version {
        /// The number in the file.
        found: u32,
    },
}

/// The version of rustdoc's format that is read here.
pub const FORMAT: u32 = 57;

/// The public items of one cell.
#[derive(Debug, Deserialize)]
pub struct Documentation {
    format_version: u32,
    /// The crate's root module.
    pub(crate) root: u64,
    index: BTreeMap<u64, Item>,
    paths: BTreeMap<u64, Summary>,
}

#[derive(Debug, Deserialize)]
struct Summary {
    path: Vec<String>,
}

/// One item.
#[derive(Debug, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: u64,
    name: Option<String>,
    visibility: Value,
    /// An object with one member, which is called by the kind of the item.
    inner: Value,
}

/// What an item is, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Module,
    /// A name for another item.
    Use {
        target: Option<u64>,
        is_glob: bool,
    },
    Function {
        is_safe: bool,
        takes_self: bool,
    },
    /// A struct, an enum or a union.
    Type,
    Trait,
    Implementation {
        of_trait: bool,
    },
    Other,
}

impl Documentation {
    /// Reads what rustdoc wrote.
    ///
    /// # Errors
    /// [`ReachError`]: it is damaged or of another version.
    pub fn parse(text: &str) -> Result<Self, ReachError> {
        let documentation: Self = serde_json::from_str(text)?;
        if documentation.format_version != FORMAT {
            return Err(ReachError::Version { found: documentation.format_version });
        }
        Ok(documentation)
    }

    pub(crate) fn item(&self, id: u64) -> Option<&Item> {
        self.index.get(&id)
    }

    /// The path of any item that this cell mentions, from its crate down.
    pub(crate) fn path(&self, id: u64) -> Option<&[String]> {
        self.paths.get(&id).map(|summary| &summary.path[..])
    }

    /// The item of this cell with this path.
    pub(crate) fn item_at(&self, path: &[String]) -> Option<&Item> {
        if let [_] = path {
            return self.item(self.root);
        }
        let found = self.paths.iter().filter(|(_, summary)| summary.path == path);
        found.filter_map(|(id, _)| self.item(*id)).next()
    }
}

/// The numbers in a list.
fn ids(value: &Value) -> Vec<u64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

impl Item {
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    pub(crate) fn is_public(&self) -> bool {
        self.visibility == "public"
    }

    /// The member of `inner` of this kind.
    fn inner(&self, kind: &str) -> &Value {
        &self.inner[kind]
    }

    pub(crate) fn kind(&self) -> Kind {
        let Some(kind) = self.inner.as_object().and_then(|members| members.keys().next()) else { return Kind::Other };
        let inner = &self.inner[kind];
        match kind.as_str() {
            "module" => Kind::Module,
            "use" => Kind::Use { target: inner["id"].as_u64(), is_glob: inner["is_glob"] == true },
            "function" => Kind::Function {
                is_safe: inner["header"]["is_unsafe"] == false,
                takes_self: inner["sig"]["inputs"][0][0] == "self",
            },
            "struct" | "enum" | "union" => Kind::Type,
            "trait" => Kind::Trait,
            "impl" => Kind::Implementation { of_trait: !inner["trait"].is_null() },
            _ => Kind::Other,
        }
    }

    /// The items in a module, a trait or an implementation.
    pub(crate) fn children(&self) -> Vec<u64> {
        ["module", "trait", "impl"].into_iter().flat_map(|kind| ids(&self.inner(kind)["items"])).collect()
    }

    /// The implementations of a type.
    pub(crate) fn implementations(&self) -> Vec<u64> {
        ["struct", "enum", "union"].into_iter().flat_map(|kind| ids(&self.inner(kind)["impls"])).collect()
    }

    /// The public fields of a type; those of variants are as public as the type.
    pub(crate) fn public_fields<'a>(&self, own: &'a Documentation) -> Vec<&'a Self> {
        let kind = &self.inner("struct")["kind"];
        let mut fields = ids(&kind["plain"]["fields"]);
        fields.extend(ids(&kind["tuple"]));
        let mut found: Vec<&Self> =
            fields.into_iter().filter_map(|id| own.item(id)).filter(|field| field.is_public()).collect();
        for variant in ids(&self.inner("enum")["variants"]).into_iter().filter_map(|id| own.item(id)) {
            let kind = &variant.inner("variant")["kind"];
            let fields = ids(&kind["struct"]["fields"]).into_iter().chain(ids(&kind["tuple"]));
            found.extend(fields.filter_map(|id| own.item(id)));
        }
        found
    }

    /// The types and traits that the item's own text mentions. Those of the items in it do not count.
    pub(crate) fn mentions(&self) -> BTreeSet<u64> {
        let mut found = BTreeSet::new();
        collect(&self.inner, &mut found);
        found
    }
}

/// All numbers of paths in a piece of JSON: `{"path": …, "id": N, "args": …}`.
fn collect(value: &Value, found: &mut BTreeSet<u64>) {
    match value {
        Value::Object(members) => {
            if members.contains_key("path")
                && let Some(id) = members.get("id").and_then(Value::as_u64)
            {
                found.insert(id);
            }
            members.values().for_each(|member| collect(member, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        _ => {}
    }
}
