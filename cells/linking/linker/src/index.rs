//! The index of names: which cell defines each, and where.

use alloc::boxed::Box;
use core::fmt;

use hashbrown::{HashMap, TryReserveError, hash_map::Entry};
use object::{Name, SymbolKind};

use crate::Address;

/// A cell's number. Numbers are not reused: an old one names no cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(pub u32);

/// A global symbol's definition.
#[derive(Clone, Copy, Debug)]
pub struct Global {
    /// The cell that defines it.
    pub cell: CellId,
    /// Its index among the symbols of that cell's object.
    pub symbol: u32,
    /// The section it is in.
    pub section: u32,
    /// Offset in the section, bytes.
    pub offset: u32,
    /// Its address; for a thread local the negative distance from the thread pointer.
    pub address: Address,
    /// Its kind.
    pub kind: SymbolKind,
    /// Whether a strong definition may take its place.
    pub weak: bool,
}

/// Two cells define one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The name.
    pub symbol: Name,
    /// The cell that has it already.
    pub first: CellId,
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "symbol {} is defined by a cell that is already there", self.symbol)
    }
}

impl core::error::Error for Duplicate {}

/// Where names are looked up.
pub trait Names {
    /// The definition of `name`.
    fn find(&self, name: &str) -> Option<&Global>;
}

impl Names for Index {
    fn find(&self, name: &str) -> Option<&Global> {
        self.get(name)
    }
}

/// An index on top of other names: a name in both is taken from the upper one, unless that is weak.
#[derive(Clone, Copy, Debug)]
pub struct Layered<'a, L: Names> {
    /// Looked up first.
    pub upper: &'a Index,
    /// Looked up for names that the upper one does not have.
    pub lower: &'a L,
}

impl<L: Names> Names for Layered<'_, L> {
    fn find(&self, name: &str) -> Option<&Global> {
        match self.upper.get(name) {
            Some(global) if !global.weak => Some(global),
            weak => self.lower.find(name).or(weak),
        }
    }
}

/// The globals of a set of cells, by exact mangled name.
#[derive(Clone, Debug, Default)]
pub struct Index {
    globals: HashMap<Box<str>, Global>,
}

impl Index {
    /// An index without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The definition of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Global> {
        self.globals.get(name)
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.globals.len()
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.globals.is_empty()
    }

    /// All names with their definitions, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Global)> {
        self.globals.iter().map(|(name, global)| (&**name, global))
    }

    /// Makes room for `more` names: entering them takes no memory but for the names themselves.
    ///
    /// # Errors
    /// There is no memory.
    pub fn try_reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        self.globals.try_reserve(more)
    }

    /// Enters a definition. A strong one takes the place of a weak one; a weak one never takes another's place.
    ///
    /// # Errors
    /// [`Duplicate`] if both are strong.
    pub fn insert(&mut self, name: &str, global: Global) -> Result<(), Duplicate> {
        match self.globals.entry(Box::from(name)) {
            Entry::Vacant(entry) => {
                entry.insert(global);
            }
            Entry::Occupied(mut entry) => match (entry.get().weak, global.weak) {
                (_, true) => {}
                (true, false) => {
                    entry.insert(global);
                }
                (false, false) => {
                    return Err(Duplicate { symbol: Name::new(name), first: entry.get().cell });
                }
            },
        }
        Ok(())
    }

    /// Enters all of `other`, which was found to have no [`Index::conflict`].
    pub fn merge(&mut self, other: Self) {
        for (name, global) in other.globals {
            match self.globals.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(global);
                }
                Entry::Occupied(mut entry) if entry.get().weak && !global.weak => {
                    entry.insert(global);
                }
                Entry::Occupied(_) => {}
            }
        }
    }

    /// A name that both define strongly with the cell that defines it here, and the cell that defines it in `other`.
    #[must_use]
    pub fn conflict(&self, other: &Self) -> Option<(Duplicate, CellId)> {
        other.iter().find_map(|(name, global)| {
            let mine = self.get(name).filter(|mine| !mine.weak && !global.weak)?;
            Some((Duplicate { symbol: Name::new(name), first: mine.cell }, global.cell))
        })
    }

    /// Takes out all that `cell` defines.
    pub fn remove(&mut self, cell: CellId) {
        self.globals.retain(|_, global| global.cell != cell);
    }
}
